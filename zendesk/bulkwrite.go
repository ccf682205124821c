package zendesk

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/flyballhq/flyball/limit"
)

var _ limit.BulkWriter = (*Provider)(nil)

// writeForms are the single writes that have a job for many (section 5.1 of
// the facts). The deletion of a user has none here: its answer holds the user
// as it was, which no job's result does.
var writeForms = makeWriteForms()

func makeWriteForms() []limit.WriteForm {
	var forms []limit.WriteForm
	for _, one := range []string{"ticket", "user", "organization"} {
		family := "/api/v2/" + one + "s"
		form := limit.WriteForm{Most: mostItems, One: one, Many: one + "s", Read: family + "/show_many"}
		add := func(verb limit.Verb, class, method, path, lacks string) {
			f := form
			f.Verb, f.Class, f.Method, f.Path, f.Lacks = verb, class, method, family+path, lacks
			forms = append(forms, f)
		}
		lacks := ""
		if one == "ticket" {
			lacks = "audit"
		}
		add(limit.Creates, "POST "+family, http.MethodPost, "/create_many", lacks)
		add(limit.Updates, "PUT "+family+"/{id}", http.MethodPut, "/update_many", lacks)
		if one != "user" {
			add(limit.Deletes, "DELETE "+family+"/{id}", http.MethodDelete, "/destroy_many", "")
		}
	}
	return forms
}

// mostItems is how many items one job takes: 101 are refused with 400
// TooManyValues [TK][US].
const mostItems = 100

// SingleWrite returns the job's form of a write of one object. A call with a
// query has none, nor one with an Idempotency-Key or a condition: a job has no
// place for them.
func (p *Provider) SingleWrite(req *http.Request) (*limit.WriteForm, uint64) {
	u := req.URL
	if u == nil || u.RawQuery != "" || u.RawPath != "" || u.Opaque != "" || u.User != nil || special(req.Header) {
		return nil, 0
	}
	path := strings.TrimSuffix(u.Path, ".json")
	for i := range writeForms {
		form := &writeForms[i]
		method, pattern, _ := strings.Cut(form.Class, " ")
		if method != req.Method {
			continue
		}
		family, named := strings.CutSuffix(pattern, "{id}")
		if !named && path == family {
			return form, 0
		}
		if rest, below := strings.CutPrefix(path, family); named && below {
			id, ok := plainID(rest)
			if !ok {
				return nil, 0
			}
			return form, id
		}
	}
	return nil, 0
}

// special reports whether the call asks for something besides its body.
func special(h http.Header) bool {
	for _, name := range []string{"Idempotency-Key", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "Content-Encoding", "X-Http-Method-Override"} {
		if len(h[name]) > 0 {
			return true
		}
	}
	kind, parameters, err := mime.ParseMediaType(h.Get("Content-Type"))
	charset := parameters["charset"]
	return h.Get("Content-Type") != "" && (err != nil || kind != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8"))
}

// onlyAlone are the fields that mean something else in a job, or nothing
// [TK]: a ticket with one of them goes alone.
var onlyAlone = []string{"safe_update", "updated_stamp", "additional_tags", "remove_tags"}

// adding are the fields that add something each time they are sent.
var adding = []string{"comment", "comments", "voice_comment", "macro_ids", "macro_id", "uploads"}

// uniqueFields are the fields that no two objects of an account share.
var uniqueFields = map[string][]string{"user": {"email", "external_id"}, "organization": {"name", "external_id"}}

// WriteItem reads {"ticket":{...}}, with nothing beside it.
func (p *Provider) WriteItem(form *limit.WriteForm, id uint64, body []byte) (limit.WriteItem, bool) {
	item := limit.WriteItem{ID: id, Adds: form.Verb == limit.Creates}
	if form.Verb == limit.Deletes {
		return item, len(bytes.TrimSpace(body)) == 0
	}
	object, ok := soleMember(body, form.One)
	if !ok {
		return item, false
	}
	fields, ok := members(object)
	if !ok {
		return item, false
	}
	named := false
	for _, f := range fields {
		switch {
		case f.name == "id":
			n, plain := plainID(string(f.value))
			if named || !plain || n != id {
				return item, false
			}
			named = true
		case slices.Contains(onlyAlone, f.name):
			return item, false
		case slices.Contains(adding, f.name):
			item.Adds = true
		case slices.Contains(uniqueFields[form.One], f.name):
			var value string
			if json.Unmarshal(f.value, &value) == nil && value != "" {
				item.Keys = append(item.Keys, limit.Field{Name: f.name, Value: plain(value)})
			}
		}
	}
	item.JSON = object
	if id != 0 && !named {
		item.JSON = withID(object, id, len(fields) > 0)
	}
	// What a job makes without an index is told apart by its keys alone.
	return item, form.Verb != limit.Creates || form.One == "ticket" || len(item.Keys) > 0
}

// plain is a value to compare by: Zendesk lowers the case of addresses, and
// takes two names that differ in case for one.
func plain(value string) string { return strings.ToLower(strings.TrimSpace(value)) }

// withID puts the id in front of an object's fields.
func withID(object []byte, id uint64, more bool) []byte {
	b := strconv.AppendUint([]byte(`{"id":`), id, 10)
	if more {
		b = append(b, ',')
	}
	return append(b, object[1:]...)
}

// soleMember returns the object that is the only member of body's object.
func soleMember(body []byte, name string) (json.RawMessage, bool) {
	all, ok := members(body)
	if !ok || len(all) != 1 || all[0].name != name {
		return nil, false
	}
	object := bytes.TrimSpace(all[0].value)
	return object, len(object) > 0 && object[0] == '{'
}

type member struct {
	name  string
	value json.RawMessage
}

// members lists an object's members in their order, each as it stands. It
// reports false for what is no object, or names a member twice.
func members(object []byte) ([]member, bool) {
	in := json.NewDecoder(bytes.NewReader(object))
	if open, err := in.Token(); err != nil || open != json.Delim('{') {
		return nil, false
	}
	var list []member
	for in.More() {
		name, err := in.Token()
		text, ok := name.(string)
		var value json.RawMessage
		if err != nil || !ok || in.Decode(&value) != nil {
			return nil, false
		}
		if slices.ContainsFunc(list, func(m member) bool { return m.name == text }) {
			return nil, false
		}
		list = append(list, member{text, value})
	}
	if _, err := in.Token(); err != nil {
		return nil, false
	}
	return list, len(bytes.TrimSpace(object[in.InputOffset():])) == 0
}

// BulkWrite returns {"tickets":[...]}, or the ids of what is to be deleted.
func (p *Provider) BulkWrite(form *limit.WriteForm, items []limit.WriteItem) (query string, body []byte) {
	if form.Verb == limit.Deletes {
		b := []byte("ids=")
		for i := range items {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendUint(b, items[i].ID, 10)
		}
		return string(b), nil
	}
	body = append(body, `{"`+form.Many+`":[`...)
	for i := range items {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, items[i].JSON...)
	}
	return "", append(body, `]}`...)
}

// JobsRead returns the call that reads the status of jobs [JS].
func (p *Provider) JobsRead(ids []string) (path, query string) {
	escaped := make([]string, len(ids))
	for i, id := range ids {
		escaped[i] = url.QueryEscape(id)
	}
	return "/api/v2/job_statuses/show_many", "ids=" + strings.Join(escaped, ",")
}

// WriteAnswer returns what the single call would have answered. An object
// that was not read back is shown by its id alone.
func (p *Provider) WriteAnswer(form *limit.WriteForm, o limit.WriteOutcome, object []byte) limit.SingleAnswer {
	switch {
	case o.Status != 0:
		return limit.SingleAnswer{Status: o.Status, Body: refusalBody(o)}
	case form.Verb == limit.Deletes:
		return limit.SingleAnswer{Status: http.StatusNoContent}
	}
	answer := limit.SingleAnswer{Status: http.StatusOK}
	if object == nil {
		object = withID([]byte("{}"), o.ID, false)
	}
	if form.Verb == limit.Creates {
		var made struct {
			URL string `json:"url"`
		}
		_ = json.Unmarshal(object, &made) // an object without a url has no Location
		answer.Status, answer.Location = http.StatusCreated, made.URL
	}
	answer.Body = append(append([]byte(`{"`+form.One+`":`), object...), '}')
	return answer
}
