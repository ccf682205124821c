package cache

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// A shouter makes bodies larger, and counts how often it is asked.
type shouter struct {
	more  string
	asked int
}

func (s *shouter) Dress(resp *http.Response) {
	s.asked++
	body, _ := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(strings.NewReader(string(body) + s.more))
	delete(resp.Header, "Content-Length")
}

func (w *world) hit(by Dresser, header ...string) (*http.Response, string) {
	w.Helper()
	req := w.request(w.Context(), "GET", "/kept", header...)
	resp := w.rt.(*transport).Hit(req, limit.CallFrom(req.Context()), http.Header{}, by)
	if resp == nil {
		w.Fatal("no hit")
	}
	body, _ := io.ReadAll(resp.Body)
	return resp, string(body)
}

func TestADresserIsAskedOnceForAnEntry(t *testing.T) {
	w := newWorld(t, Options{Rules: []Rule{{Route: "GET /kept", Fresh: time.Hour}}})
	w.origin.header = http.Header{"Content-Type": {"text/plain"}, "Etag": {`"1"`}}
	w.get()
	dressers := make([]*shouter, maxForms+1)
	for i := range dressers {
		dressers[i] = &shouter{more: strings.Repeat("!", i)}
	}
	for range 3 {
		for i, by := range dressers {
			if resp, body := w.hit(by); body != "body"+strings.Repeat("!", i) || resp.Header["Content-Length"] != nil || resp.Header["Age"] == nil {
				t.Errorf("dresser %d: %q %v", i, body, resp.Header)
			}
		}
	}
	for i, by := range dressers {
		if kept := i < maxForms; kept && by.asked != 1 || !kept && by.asked != 3 {
			t.Errorf("dresser %d of %d was asked %d times", i, maxForms, by.asked)
		}
	}
	// Who has the answer is told so, whatever its dress.
	if resp, body := w.hit(dressers[0], "If-None-Match", `"1"`); resp.StatusCode != http.StatusNotModified || body != "" {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
	if _, body := w.get(); body != "body" {
		t.Errorf("without a dresser: %q", body)
	}
	w.wants(1, "in all")
}

func TestWhatDressersMakeIsBounded(t *testing.T) {
	w := newWorld(t, Options{Rules: []Rule{{Route: "GET /kept", Fresh: time.Hour}}, MaxBody: maxDressed})
	long := &shouter{more: strings.Repeat("!", maxDressed/2)}
	extra := &w.rt.(*transport).extra
	for i := range 3 {
		w.get("Accept", string(rune('a'+i)))
		for range 3 {
			w.hit(long, "Accept", string(rune('a'+i)))
		}
	}
	// The first is kept, the others find no room.
	if long.asked != 1+3+3 || extra.Load() > maxDressed {
		t.Errorf("asked %d times, %d bytes beside the entries", long.asked, extra.Load())
	}
	clear(w.store.entries)
	w.origin.asked = nil // whose contexts know what came
	for end := time.Now().Add(10 * time.Second); extra.Load() > 0 && time.Now().Before(end); {
		runtime.GC()
	}
	if extra.Load() != 0 {
		t.Errorf("%d bytes are counted after the entries have gone", extra.Load())
	}
}
