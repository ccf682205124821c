package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/flyballhq/flyball/simulator/desk"
)

// elsewhereEndpoints are the few endpoints outside the Support API that the
// simulator answers, so that their counters can be met. Their records are fixed.
var elsewhereEndpoints = []struct {
	pattern pattern
	text    string
	answer  func(*call) answer
}{
	{text: "GET /api/v2/help_center/articles", answer: articles},
	{text: "GET /api/v2/help_center/{any}/articles", answer: articles},
	{text: "GET /api/v2/community/posts", answer: posts},
	{text: "GET /api/v2/webhooks", answer: webhookList},
	{text: "POST /api/v2/webhooks/test", answer: webhookTried},
	{text: "GET /api/v2/calls", answer: calls},
	{text: "POST /api/v2/calls", answer: callMade},
	{text: "GET /api/v2/engagements", answer: engagementList},
}

func init() {
	for i := range elsewhereEndpoints {
		elsewhereEndpoints[i].pattern = parsePattern(elsewhereEndpoints[i].text)
	}
}

// Endpoints lists what the simulator answers, as "GET /api/v2/tickets"; any other
// endpoint is answered by 501 NotSimulated.
func Endpoints() []string {
	list := desk.Endpoints()
	for _, e := range elsewhereEndpoints {
		if !slices.Contains(list, e.text) {
			list = append(list, e.text)
		}
	}
	return list
}

func elsewhere(c *call) (answer, bool) {
	if c.service == support || c.service == nowhere {
		return answer{}, false
	}
	for i := range elsewhereEndpoints {
		e := &elsewhereEndpoints[i]
		if _, ok := e.pattern.matches(c.method, &c.route); ok {
			return e.answer(c), true
		}
	}
	return answer{}, false
}

// helpCenterPage is an offset page in the Help Center's form, which adds
// page_count and per_page [PG].
func helpCenterPage(name string, items []string) answer {
	return jsonAnswer(http.StatusOK, fmt.Sprintf(
		`{"count":%d,"next_page":null,"page":1,"page_count":1,"per_page":30,"previous_page":null,"%s":[%s]}`,
		len(items), name, strings.Join(items, ",")))
}

func articles(c *call) answer {
	items := make([]string, 3)
	for i := range items {
		id := 360001000000 + i
		items[i] = fmt.Sprintf(`{"id":%d,"url":"%s/api/v2/help_center/en-us/articles/%d.json","title":"Article %d","locale":"en-us","draft":false}`,
			id, c.origin, id, i+1)
	}
	return helpCenterPage("articles", items)
}

func posts(c *call) answer {
	const id = 360002000000
	return helpCenterPage("posts", []string{fmt.Sprintf(`{"id":%d,"url":"%s/api/v2/community/posts/%d.json","title":"Post"}`, id, c.origin, id)})
}

func webhookList(c *call) answer {
	return jsonAnswer(http.StatusOK,
		`{"webhooks":[{"id":"01HB0000000000000000000000","name":"Hook","status":"active","endpoint":"`+c.origin+`/hook","http_method":"POST","request_format":"json"}],"meta":{"has_more":false}}`)
}

func webhookTried(*call) answer {
	return jsonAnswer(http.StatusOK, `{"response":{"status":200,"headers":[],"payload":""}}`)
}

func calls(*call) answer {
	return jsonAnswer(http.StatusOK, `{"calls":[],"next_page":null,"previous_page":null,"count":0}`)
}

func callMade(*call) answer {
	return jsonAnswer(http.StatusCreated, `{"call":{"id":"01HB0000000000000000000001"}}`)
}

func engagementList(*call) answer {
	return jsonAnswer(http.StatusOK, `{"engagements":[],"meta":{"has_more":false}}`)
}
