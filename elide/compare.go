package elide

import "github.com/flyballhq/flyball/limit"

// changesNothing reports whether a write's body, {"ticket":{...}}, says nothing
// but what the object says. It is safe by construction: what is not known to
// be plain is a change.
func changesNothing(form *limit.CompareForm, body, object []byte) bool {
	written, ok := soleObject(body, form.One)
	if !ok || len(written) == 0 {
		return false
	}
	parsed, ok := parse(object)
	seen, isObject := parsed.(map[string]any)
	if !ok || !isObject || !form.Steady(seen) {
		return false
	}
	for name, value := range written {
		if !fieldEquals(form, name, value, written, seen) {
			return false
		}
	}
	return true
}

// soleObject returns the object that is the only member of text's.
func soleObject(text []byte, name string) (map[string]any, bool) {
	parsed, ok := parse(text)
	outer, isObject := parsed.(map[string]any)
	if !ok || !isObject || len(outer) != 1 {
		return nil, false
	}
	object, ok := outer[name].(map[string]any)
	return object, ok
}

func fieldEquals(form *limit.CompareForm, name string, value any, written, seen map[string]any) bool {
	field, plain := form.Fields[name]
	now, there := seen[name]
	if !plain || !there {
		return false
	}
	if raw, differs := seen["raw_"+name]; differs && !equal(raw, now) {
		return false // what is shown is made of what is kept
	}
	if field.With != "" && seen[field.With] != nil {
		if _, named := written[field.With]; !named {
			return false
		}
	}
	switch field.How {
	case limit.ByValue:
		return scalar(value) && equal(value, now)
	case limit.ByKey:
		return keysEqual(value, now)
	case limit.ByID:
		return itemsEqual(value, now)
	}
	return false
}

func scalar(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}

// keysEqual compares the members that are written.
func keysEqual(value, now any) bool {
	written, ok := value.(map[string]any)
	seen, isObject := now.(map[string]any)
	return ok && isObject && within(written, seen)
}

// itemsEqual compares the items that are written with those of the same id.
func itemsEqual(value, now any) bool {
	written, ok := value.([]any)
	seen, known := itemsByID(now)
	if !ok || !known {
		return false
	}
	asked, ok := itemsByID(written)
	if !ok || len(asked) != len(written) {
		return false
	}
	for id, v := range asked {
		is, there := seen[id]
		if !there || !equal(v, is) {
			return false
		}
	}
	return true
}

// itemsByID reads [{"id":1,"value":2}]. It reports false for a list of
// anything else, and where an id stands twice.
func itemsByID(list any) (map[decimal]any, bool) {
	items, ok := list.([]any)
	if !ok {
		return nil, false
	}
	byID := make(map[decimal]any, len(items))
	for _, item := range items {
		member, ok := item.(map[string]any)
		id, isNumber := number(member["id"])
		value, there := member["value"]
		if _, twice := byID[id]; !ok || len(member) != 2 || !isNumber || !there || twice {
			return nil, false
		}
		byID[id] = value
	}
	return byID, true
}
