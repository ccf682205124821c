package disk

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/flyballhq/flyball/cache"
)

func FuzzDecode(f *testing.F) {
	f.Add(encode(&cache.Entry{Key: "k", Tags: []string{"a", ""}, Status: 200, Header: http.Header{"X": {"1", ""}}, Body: []byte("body"), Until: time.Unix(1, 2)}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, record []byte) {
		e, err := decode(record)
		if err != nil {
			return
		}
		again, err := decode(encode(e))
		if err != nil || again.Key != e.Key || !reflect.DeepEqual(again.Header, e.Header) || string(again.Body) != string(e.Body) {
			t.Errorf("%+v came back as %+v, %v", e, again, err)
		}
	})
}

func TestADamagedRecordIsSeen(t *testing.T) {
	good := encode(&cache.Entry{Key: "key", Tags: []string{"tag"}, Header: http.Header{"A": {"b"}}, Body: []byte("the body"), Until: time.Unix(9, 0)})
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 1
		if e, err := decode(bad); err == nil {
			t.Fatalf("byte %d changed, and it was read as %+v", i, e)
		}
	}
}
