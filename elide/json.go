package elide

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// deepest is how deep values may be nested to be compared.
const deepest = 16

// parse decodes one JSON value, numbers as [json.Number]. It reports false for
// what could be read in two ways: a member named twice, text that is not
// UTF-8, half a surrogate pair, or anything after the value.
func parse(text []byte) (any, bool) {
	if !utf8.Valid(text) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, ok := value(d, deepest)
	if !ok || len(bytes.TrimSpace(text[d.InputOffset():])) > 0 {
		return nil, false
	}
	return v, true
}

func value(d *json.Decoder, depth int) (any, bool) {
	token, err := d.Token()
	if err != nil || depth == 0 {
		return nil, false
	}
	switch token := token.(type) {
	case json.Delim:
		switch token {
		case '{':
			return object(d, depth-1)
		case '[':
			return items(d, depth-1)
		}
		return nil, false
	case string:
		return token, !strings.ContainsRune(token, utf8.RuneError)
	}
	return token, true
}

func object(d *json.Decoder, depth int) (any, bool) {
	members := map[string]any{}
	for d.More() {
		token, err := d.Token()
		name, ok := token.(string)
		if _, twice := members[name]; err != nil || !ok || twice {
			return nil, false
		}
		if members[name], ok = value(d, depth); !ok {
			return nil, false
		}
	}
	_, err := d.Token()
	return members, err == nil
}

func items(d *json.Decoder, depth int) (any, bool) {
	all := []any{}
	for d.More() {
		item, ok := value(d, depth)
		if !ok {
			return nil, false
		}
		all = append(all, item)
	}
	_, err := d.Token()
	return all, err == nil
}

// equal compares two parsed values: numbers by their value, lists in order,
// and null with null alone.
func equal(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && decimalOf(string(a)) == decimalOf(string(b))
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && len(a) == len(b) && within(a, b)
	case nil:
		return b == nil
	case string:
		b, ok := b.(string)
		return ok && a == b
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	}
	return false
}

// within reports whether b has every member of a, with its value.
func within(a, b map[string]any) bool {
	for name, value := range a {
		other, there := b[name]
		if !there || !equal(value, other) {
			return false
		}
	}
	return true
}

func number(v any) (decimal, bool) {
	n, ok := v.(json.Number)
	return decimalOf(string(n)), ok
}
