package desk

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// webhook belongs to a service of its own: no ETag, no Cache-Control, another
// form of links (zendesk-facts 6 and 10).
type webhook struct {
	ID             string    `json:"id"`
	Name           string    `json:"name"`
	Description    string    `json:"description,omitempty"`
	Status         string    `json:"status"`
	Subscriptions  []string  `json:"subscriptions"`
	CreatedAt      time.Time `json:"created_at"`
	CreatedBy      string    `json:"created_by"`
	Endpoint       string    `json:"endpoint"`
	HTTPMethod     string    `json:"http_method"`
	RequestFormat  string    `json:"request_format"`
	Authentication anything  `json:"authentication,omitempty"`

	number uint64
}

func (w *webhook) key() uint64 { return w.number }

func (w *webhook) append(b []byte, _ string) []byte { return append(b, encode(w)...) }

type webhookInput struct {
	Name           opt[string]   `json:"name"`
	Description    opt[string]   `json:"description"`
	Status         opt[string]   `json:"status"`
	Subscriptions  opt[[]string] `json:"subscriptions"`
	Endpoint       opt[string]   `json:"endpoint"`
	HTTPMethod     opt[string]   `json:"http_method"`
	RequestFormat  opt[string]   `json:"request_format"`
	Authentication opt[anything] `json:"authentication"`
}

// ulid is a 26-character id that sorts by time.
func (d *Desk) ulid(at time.Time) string {
	const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	var id [26]byte
	ms := uint64(at.UnixMilli())
	for i := 9; i >= 0; i-- {
		id[i] = letters[ms&31]
		ms >>= 5
	}
	for i := 10; i < len(id); i++ {
		id[i] = letters[d.random.IntN(32)]
	}
	return string(id[:])
}

func listWebhooks(c *call) answer {
	rows := c.webhooks.sorted
	if text := c.param("filter[name_contains]"); text != "" {
		rows = filter(rows, func(w *webhook) bool { return strings.Contains(w.Name, text) })
	}
	o := order[*webhook]{}
	page, hasMore, bad := window(c, rows, o, maxPage)
	if bad != nil {
		return bare(*bad)
	}
	m := map[string]any{"has_more": hasMore}
	b := appendRows([]byte{'{'}, "webhooks", c.Origin, page)
	var header http.Header
	if len(page) > 0 {
		m["after_cursor"] = o.cursor(o.place(page[len(page)-1]))
		if c.query().Has("page[after]") {
			m["before_cursor"] = o.cursor(o.place(page[0]))
		}
	}
	b = append(append(b, `,"meta":`...), encode(m)...)
	if hasMore {
		next := withPort(c.Origin) + c.path + "?page[after]=" + m["after_cursor"].(string) + "&page[size]=" + cmp.Or(c.param("page[size]"), strconv.Itoa(maxPage))
		b = append(append(b, `,"links":`...), encode(map[string]any{"next": next, "prev": nil})...)
		header = linkHeader(next)
	}
	a := bare(ok(append(b, '}')))
	a.header = header
	return a
}

// bare is an answer of the webhooks' service.
func bare(a answer) answer {
	a.bare, a.kind = true, "application/json"
	return a
}

func webhookBody(w *webhook) []byte { return encode(map[string]*webhook{"webhook": w}) }

func (c *call) webhookInput() (*webhookInput, *answer) {
	var in struct {
		Webhook *webhookInput `json:"webhook"`
	}
	if bad := c.body(&in); bad != nil {
		return nil, bad
	}
	if in.Webhook == nil {
		return nil, missing("webhook")
	}
	return in.Webhook, nil
}

func createWebhook(c *call) answer {
	in, bad := c.webhookInput()
	if bad != nil {
		return bare(*bad)
	}
	w := &webhook{Status: "active", Subscriptions: []string{}, HTTPMethod: "POST", RequestFormat: "json", CreatedAt: c.exact.UTC(), CreatedBy: strconv.FormatUint(c.caller().ID, 10)}
	w.apply(in)
	if w.Name == "" || !strings.HasPrefix(w.Endpoint, "http") {
		return bare(*coded(http.StatusBadRequest, "InvalidParameter", "webhook needs a name and an http or https endpoint"))
	}
	w.ID, w.number = c.ulid(c.exact), c.newID()
	c.webhooks.put(w)
	c.noteCreate("webhook", w.number, w.Name+"\x00"+w.Endpoint)
	return bare(answer{status: http.StatusCreated, body: webhookBody(w)})
}

func (w *webhook) apply(in *webhookInput) {
	in.Name.over(&w.Name)
	in.Description.over(&w.Description)
	in.Status.over(&w.Status)
	in.Endpoint.over(&w.Endpoint)
	in.HTTPMethod.over(&w.HTTPMethod)
	in.RequestFormat.over(&w.RequestFormat)
	in.Authentication.over(&w.Authentication)
	if in.Subscriptions.set {
		w.Subscriptions = append([]string{}, in.Subscriptions.value...)
	}
}

func (c *call) webhook() *webhook {
	i := slices.IndexFunc(c.webhooks.sorted, func(w *webhook) bool { return w.ID == c.args[0] })
	if i < 0 {
		return nil
	}
	return c.webhooks.sorted[i]
}

func showWebhook(c *call) answer {
	w := c.webhook()
	if w == nil {
		return bare(*coded(http.StatusNotFound, "WebhookNotFound", "Webhook not found"))
	}
	return bare(ok(webhookBody(w)))
}

func changeWebhook(c *call) answer {
	w := c.webhook()
	if w == nil {
		return bare(*coded(http.StatusNotFound, "WebhookNotFound", "Webhook not found"))
	}
	in, bad := c.webhookInput()
	if bad != nil {
		return bare(*bad)
	}
	w.apply(in)
	c.note("webhook", w.number, "update")
	return bare(noContent())
}

func replaceWebhook(c *call) answer { return changeWebhook(c) }

func deleteWebhook(c *call) answer {
	w := c.webhook()
	if w == nil {
		return bare(*coded(http.StatusNotFound, "WebhookNotFound", "Webhook not found"))
	}
	c.webhooks.drop(w.number)
	c.note("webhook", w.number, "delete")
	return bare(noContent())
}

// testWebhook says what a made-up endpoint answered; nothing is sent.
func testWebhook(c *call) answer {
	return bare(ok([]byte(`{"response":{"status":200,"headers":[],"payload":""}}`)))
}
