package simulator

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/flyballhq/flyball/simulator/desk"
)

// elsewhereEndpoints are the few endpoints that the desk leaves to the simulator:
// they have no records worth keeping, and counters worth meeting.
var elsewhereEndpoints = []struct {
	pattern pattern
	text    string
	answer  func(*call) answer
}{
	{text: "GET /api/v2/community/posts", answer: posts},
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

// posts is a page in the Help Center's offset form, which adds page_count and
// per_page [PG].
func posts(c *call) answer {
	const id = 360002000000
	return jsonAnswer(http.StatusOK, fmt.Sprintf(
		`{"count":1,"next_page":null,"page":1,"page_count":1,"per_page":30,"previous_page":null,`+
			`"posts":[{"id":%d,"url":"%s/api/v2/community/posts/%d.json","title":"Post"}]}`, id, c.origin, id))
}

func engagementList(*call) answer {
	return jsonAnswer(http.StatusOK, `{"engagements":[],"meta":{"has_more":false}}`)
}
