package batch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// split returns the objects of the list named many in an answer, by id, each
// as it stands there. Every byte is checked once; then the objects are only
// measured, for decoding them would cost more than the send did.
func split(text []byte, many string) (map[uint64]json.RawMessage, error) {
	if !json.Valid(text) {
		return nil, errors.New("answer is not JSON")
	}
	list := -1
	for key, at := range fields(text, begins(text, 0)) {
		if string(key) == many {
			list = at
		}
	}
	if list < 0 || text[list] != '[' {
		return nil, fmt.Errorf("answer has no list %q", many)
	}
	objects := map[uint64]json.RawMessage{}
	for at := begins(text, list+1); text[at] != ']'; {
		past := ends(text, at)
		if id := idOf(text, at); id != 0 && objects[id] == nil {
			objects[id] = text[at:past:past]
		}
		if at = begins(text, past); text[at] == ',' {
			at = begins(text, at+1)
		}
	}
	return objects, nil
}

// idOf is the id of the object at at, 0 when it is none or has none.
func idOf(text []byte, at int) uint64 {
	var id uint64
	for key, at := range fields(text, at) {
		switch {
		case bytes.IndexByte(key, '\\') >= 0:
			return 0 // it may say "id" in other letters
		case string(key) == "id":
			id = number(text[at:])
		}
	}
	return id
}

// number reads the whole number that text begins with, 0 for any other.
func number(text []byte) uint64 {
	var n uint64
	const most = 18 // digits that surely fit
	for i, c := range text {
		switch {
		case c >= '0' && c <= '9' && i < most:
			n = n*10 + uint64(c-'0')
		case c == ',' || c == '}' || blank(c):
			return n
		default:
			return 0
		}
	}
	return 0
}

// fields yields the keys of the object at at, as they are written between
// their quotes, and where their values begin. What is no object has none. The
// text must be valid JSON, here and below.
func fields(text []byte, at int) func(yield func(key []byte, at int) bool) {
	return func(yield func(key []byte, at int) bool) {
		if text[at] != '{' {
			return
		}
		for at = begins(text, at+1); text[at] != '}'; {
			past := ends(text, at)
			key := text[at+1 : past-1]
			at = begins(text, begins(text, past)+1) // past the colon
			if !yield(key, at) {
				return
			}
			if at = begins(text, ends(text, at)); text[at] == ',' {
				at = begins(text, at+1)
			}
		}
	}
}

// begins is where the next thing that is not blank begins.
func begins(text []byte, at int) int {
	for blank(text[at]) {
		at++
	}
	return at
}

func blank(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// ends is where the value at at ends.
func ends(text []byte, at int) int {
	switch text[at] {
	case '"':
		return quoted(text, at)
	case '{', '[':
		return nested(text, at)
	}
	for at < len(text) && !blank(text[at]) && text[at] != ',' && text[at] != '}' && text[at] != ']' {
		at++
	}
	return at
}

func nested(text []byte, at int) int {
	for depth := 0; ; at++ {
		switch text[at] {
		case '"':
			at = quoted(text, at) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return at + 1
			}
		}
	}
}

// quoted is where the string at at ends. A quote behind an odd number of
// backslashes does not end it.
func quoted(text []byte, at int) int {
	begin := at + 1
	for {
		at++
		at += bytes.IndexByte(text[at:], '"')
		slashes := 0
		for at-slashes > begin && text[at-slashes-1] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return at + 1
		}
	}
}
