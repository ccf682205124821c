package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/itchyny/gojq"
)

// A jsonQuery is a jq program that picks what is printed of an answer.
type jsonQuery struct{ code *gojq.Code }

// parseQuery reads a jq program; "" is none.
func parseQuery(text string) (*jsonQuery, error) {
	if text == "" {
		return nil, nil
	}
	query, err := gojq.Parse(text)
	if err != nil {
		return nil, wrongf("-q %q: %w (it is a jq program, such as '.tickets[].id')", text, err)
	}
	code, err := gojq.Compile(query)
	if err != nil {
		return nil, wrongf("-q %q: %w (it is a jq program, such as '.tickets[].id')", text, err)
	}
	return &jsonQuery{code}, nil
}

// print writes what the program makes of body, a line each; texts without
// their quotes.
func (q *jsonQuery) print(ctx context.Context, w io.Writer, body []byte) error {
	document, err := decode(body)
	if err != nil {
		return fmt.Errorf("-q: the answer is not JSON (leave -q out to see it)")
	}
	results := q.code.RunWithContext(ctx, document)
	for {
		v, ok := results.Next()
		if !ok {
			return nil
		}
		if err, bad := v.(error); bad {
			return fmt.Errorf("-q: %w (leave -q out to see the whole answer)", err)
		}
		if err := printValue(w, v); err != nil {
			return err
		}
	}
}

func printValue(w io.Writer, v any) error {
	if text, ok := v.(string); ok {
		_, err := fmt.Fprintln(w, text)
		return err
	}
	text, err := gojq.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}

// decode reads one JSON value, its large ids whole.
func decode(body []byte) (v any, err error) {
	if !json.Valid(body) {
		return nil, fmt.Errorf("not JSON")
	}
	return v, unmarshalNumbers(body, &v)
}
