package desk

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// opt is a field of a request body that may be absent, null or given.
type opt[T any] struct {
	set, null bool
	value     T
}

func (o *opt[T]) UnmarshalJSON(b []byte) error {
	o.set = true
	if string(b) == "null" {
		o.null = true
		return nil
	}
	return json.Unmarshal(b, &o.value)
}

// into puts the value into a field that knows null.
func (o opt[T]) into(field **T) {
	switch {
	case !o.set:
	case o.null:
		*field = nil
	default:
		*field = &o.value
	}
}

// over replaces a field that knows no null.
func (o opt[T]) over(field *T) {
	if o.set && !o.null {
		*field = o.value
	}
}

// number is an id as callers send it: a number or a string of digits.
type number uint64

func (n *number) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if text == "" {
		*n = 0
		return nil
	}
	v, err := strconv.ParseUint(text, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		v, err = 1<<64-1, nil // no record has it
	}
	if err != nil {
		return &json.UnmarshalTypeError{Value: kindOf(b), Field: "id"}
	}
	*n = number(v)
	return nil
}

func kindOf(b []byte) string {
	switch b[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	}
	return "number"
}

// reference puts an id into a field that knows null; 0 and "" are null.
func reference(o opt[number], field **uint64) {
	if !o.set {
		return
	}
	*field = nil
	if o.value != 0 {
		*field = new(uint64(o.value))
	}
}

// words is a list of tags: an array, or a string with blanks or commas.
type words []string

func (w *words) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(b, []byte{'"'}) {
		var text string
		if err := json.Unmarshal(b, &text); err != nil {
			return err
		}
		*w = strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
		return nil
	}
	return json.Unmarshal(b, (*[]string)(w))
}

// moment is a time as callers send it; one that cannot be read is an error.
type moment struct{ time.Time }

func (m *moment) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		t, err := time.Parse(layout, text)
		if t = second(t); err == nil && t.Year() > 0 && t.Year() < 10_000 { // what JSON can hold, in UTC
			m.Time = t
			return nil
		}
	}
	return &json.UnmarshalTypeError{Value: "string", Field: "date"}
}

// maxNesting keeps what callers store shallow enough to be put into answers.
const maxNesting = 100

// anything is JSON that is kept as it came.
type anything []byte

func (a *anything) UnmarshalJSON(b []byte) error {
	if nesting(b) > maxNesting {
		return &json.UnmarshalTypeError{Value: kindOf(b), Field: "nesting"}
	}
	*a = slices.Clone(b)
	return nil
}

// nesting is how deep valid JSON goes.
func nesting(b []byte) int {
	depth, deepest, quoted := 0, 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}', c == ']':
			depth--
		}
	}
	return deepest
}

func (a anything) MarshalJSON() ([]byte, error) {
	if len(a) == 0 {
		return []byte("null"), nil
	}
	return a, nil
}

// fieldSet is a record's custom fields by key.
type fieldSet map[string]anything

// merge returns the fields with those of the input over them.
func (f fieldSet) merge(in opt[fieldSet]) fieldSet {
	all := fieldSet{}
	maps.Copy(all, f)
	maps.Copy(all, in.value)
	return all
}
