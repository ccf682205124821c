package audit

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"time"
)

const (
	// mostBodies and longestBody bound what is remembered of bodies.
	mostBodies  = 256
	longestBody = 128 << 10
	// rightAfter is how soon after its read a write is compared with it.
	rightAfter = time.Minute
)

// nothing finds writes that change nothing of what was read right before. It
// needs bodies, which only a HAR has.
type nothing struct {
	waste *waste
	read  *recent[body]
}

type body struct {
	text []byte
	at   time.Time
}

func newNothing(a *Audit) *nothing {
	return &nothing{waste: a.waste(Nothing), read: newRecent[body](Nothing, mostBodies, rightAfter)}
}

func (n *nothing) take(m *moment) {
	switch m.Method {
	case http.MethodGet:
		if m.ok && m.route.Object != 0 && len(m.Body) > 0 && len(m.Body) <= longestBody {
			was, _ := n.read.get(mix(m.who, m.path), m.instant())
			*was = body{m.Body, m.At}
		}
	case http.MethodPut, http.MethodPatch:
		was := n.read.find(mix(m.who, m.path))
		if was == nil || was.text == nil || len(m.Sent) == 0 || m.Status >= 300 {
			return
		}
		if m.since(was.at) <= rightAfter && !m.audit.written.since(m.path, was.at) && changesNothing(was.text, m.Sent) {
			n.waste.spare(m, "", ", everything in it was there already")
			return
		}
		*was = body{} // what was read is no longer so
	}
}

func (n *nothing) end() {}

func (n *nothing) memories() []memory { return []memory{n.read} }

// changesNothing reports whether each field of the object in sent, as in
// {"ticket":{...}}, stands in the object that was read.
func changesNothing(read, sent []byte) bool {
	var was, will map[string]map[string]any
	var outer map[string]json.RawMessage
	if json.Unmarshal(sent, &outer) != nil || len(outer) != 1 || json.Unmarshal(sent, &will) != nil {
		return false
	}
	if json.Unmarshal(read, &outer) != nil {
		return false
	}
	for name, fields := range will {
		var object map[string]any
		if json.Unmarshal(outer[name], &object) != nil || len(fields) == 0 || object == nil {
			return false
		}
		was = map[string]map[string]any{name: object}
		for field, value := range fields {
			old, there := was[name][field]
			if !there || !sameValue(field, old, value) {
				return false
			}
		}
	}
	return true
}

// sameValue compares a field. Tags are a set, and of custom fields only those
// named count.
func sameValue(field string, was, will any) bool {
	old, okOld := was.([]any)
	list, okNew := will.([]any)
	switch {
	case !okOld || !okNew:
		return reflect.DeepEqual(was, will)
	case field == "tags":
		return subset(old, list) && subset(list, old)
	case field == "custom_fields":
		return subset(old, list)
	}
	return reflect.DeepEqual(was, will)
}

func subset(of, list []any) bool {
	for _, one := range list {
		if !slices.ContainsFunc(of, func(x any) bool { return reflect.DeepEqual(x, one) }) {
			return false
		}
	}
	return true
}
