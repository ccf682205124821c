package batch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

func manyTickets(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"tickets":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"url":"https://acme.zendesk.com/api/v2/tickets/%d.json","id":%d,"description":%q,"tags":["a","b"],"fields":[%s{"id":1,"value":null}]}`,
			i+1, i+1, strings.Repeat(`said "so" \ `, 100), strings.Repeat(`{"id":360000000001,"value":"x"},`, 20))
	}
	b.WriteString(`],"next_page":null,"count":100}`)
	return b.Bytes()
}

// BenchmarkSplit takes apart an answer for a hundred tickets of 2 KB.
func BenchmarkSplit(b *testing.B) {
	text := manyTickets(100)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if objects, err := split(text, "tickets"); err != nil || len(objects) != 100 {
			b.Fatal(len(objects), err)
		}
	}
}

// Whatever an answer holds, each object that comes out stands in it byte for
// byte, is a JSON object, and has the id it is kept under.
func FuzzSplitGivesOnlyWhatIsThere(f *testing.F) {
	f.Add(string(manyTickets(3)))
	for _, text := range []string{
		``, `{}`, `null`, `[]`, `{"tickets":null}`, `{"tickets":[{"id":1},{"id":1,"again":true}]}`, `{"tickets":[{"id":1}],"tickets":[{"id":2}]}`,
		`{"tickets":[{"ID":3}]}`, `{"tickets":[{"id":1,"id":2}]}`, ` {"tickets" : [ {"id" : 7 , "x":"\u00e9\ud800"} ] } `, `{"Tickets":[{"id":9}]}`, `{"tickets":[{"id":18446744073709551616}]}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		objects, err := split([]byte(text), "tickets")
		if err != nil && objects != nil {
			t.Fatal("objects with an error")
		}
		for id, object := range objects {
			var value map[string]any
			d := json.NewDecoder(bytes.NewReader(object))
			d.UseNumber()
			if err := d.Decode(&value); err != nil || !strings.Contains(text, string(object)) || fmt.Sprint(value["id"]) != fmt.Sprint(id) {
				t.Fatalf("%d: %s out of %q: %v", id, object, text, err)
			}
		}
	})
}

// nothing answers at once.
type nothing struct{}

func (nothing) RoundTrip(req *http.Request) (*http.Response, error) {
	if call := limit.CallFrom(req.Context()); call.Seal != nil {
		call.Seal(req)
	}
	return nil, nil
}

// BenchmarkLone is what the layer adds to a call that may be merged and finds
// nobody on the way.
func BenchmarkLone(b *testing.B) {
	provider := zendesk.New(zendesk.UnknownPlan)
	m, err := New(Options{Provider: provider})
	if err != nil {
		b.Fatal(err)
	}
	through := m.Layer()(nothing{})
	call := &limit.Call{Batch: true}
	req, _ := http.NewRequestWithContext(limit.WithCall(b.Context(), call), http.MethodGet, "https://acme.zendesk.com/api/v2/tickets/17.json", nil)
	req.Header.Set("Authorization", "Basic YWdlbnRAYWNtZS5jb20vdG9rZW46c2VjcmV0")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "client/1.0")
	call.Route = provider.Route(req)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := through.RoundTrip(req); err != nil {
			b.Fatal(err)
		}
	}
}
