package cache

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// requirements are those of RFC 9111 for a private cache, one a row, by the
// name that docs/guide/caching.md gives them.
var requirements = []struct {
	name  string
	rules Rule // beside its route; zero is a minute fresh
	run   func(w *world)
}{
	{name: "3 only GET", run: func(w *world) { w.ask("POST", "/kept"); w.get(); w.wants(2, "a POST is not kept") }},
	{name: "3 only final statuses that are understood", run: func(w *world) {
		for _, status := range []int{201, 204, 301, 404, 410, 429, 500, 503} {
			w.origin.status = status
			before := w.sends()
			w.get()
			if w.get(); w.sends()-before != 2 {
				w.Errorf("status %d was kept", status)
			}
		}
	}},
	{name: "3 response no-store", run: func(w *world) { w.origin.header.Set("Cache-Control", "private, no-store"); twice(w, 2) }},
	{name: "3 response private", run: func(w *world) { w.origin.header.Set("Cache-Control", "private"); twice(w, 1) }},
	{name: "3.1 connection's own fields are not kept", run: func(w *world) {
		w.origin.header.Set("Connection", "X-Hop, close")
		w.origin.header.Set("X-Hop", "1")
		w.origin.header.Set("X-End", "1")
		w.get()
		if resp, _ := w.get(); resp.Header.Get("X-Hop")+resp.Header.Get("Connection") != "" || resp.Header.Get("X-End") != "1" {
			w.Errorf("a hit's header is %v", resp.Header)
		}
	}},
	{name: "3.1 Set-Cookie is told to one caller", run: func(w *world) {
		w.origin.header.Set("Set-Cookie", "a=1")
		first, _ := w.get()
		if second, _ := w.get(); first.Header.Get("Set-Cookie") == "" || second.Header.Get("Set-Cookie") != "" {
			w.Error("the hit has the cookie, or the first answer has not")
		}
	}},
	{name: "3.2 a 304 updates the kept header", rules: Rule{Fresh: time.Second}, run: func(w *world) {
		w.origin.header.Set("Etag", `"1"`)
		w.origin.header.Set("X-Note", "old")
		w.get()
		w.origin.header.Set("X-Note", "new")
		time.Sleep(2 * time.Second)
		if resp, body := w.get(); resp.StatusCode != 200 || resp.Header.Get("X-Note") != "new" || body != "body" {
			w.Errorf("%d, %v, %q", resp.StatusCode, resp.Header, body)
		}
	}},
	{name: "3.3 an incomplete answer is not kept", run: func(w *world) { w.origin.cut = true; twice(w, 2) }},
	{name: "3.4 a part is not kept nor made", run: func(w *world) {
		w.get()
		w.get("Range", "bytes=0-1")
		w.wants(2, "a range is asked for")
		w.origin.status = 206
		w.origin.header.Set("Content-Range", "bytes 0-1/4")
		w.ask("GET", "/kept", "Range", "bytes=0-1")
		w.wants(3, "and again")
	}},
	{name: "3.5 Authorization", run: func(w *world) {
		w.get("Authorization", "Bearer a")
		w.get("Authorization", "Bearer a")
		w.get("Authorization", "Bearer b")
		w.wants(2, "one entry for each credential")
	}},
	{name: "4 another URL", run: func(w *world) { w.ask("GET", "/kept?a=1"); w.ask("GET", "/kept?a=2"); w.wants(2, "two URLs") }},
	{name: "4 HEAD is answered from a GET", run: func(w *world) {
		w.get()
		if resp, body := w.ask("HEAD", "/kept"); body != "" || resp.Header.Get("Content-Length") != "4" {
			w.Errorf("HEAD got %q, %v", body, resp.Header)
		}
		w.wants(1, "a HEAD")
	}},
	{name: "4 writes are written through", run: func(w *world) { w.get(); w.ask("PUT", "/kept"); w.wants(2, "the PUT goes out") }},
	{name: "4.1 Vary", run: func(w *world) {
		w.origin.header.Set("Vary", "User-Agent")
		w.get("User-Agent", "a")
		w.get("User-Agent", "a")
		w.wants(1, "the same")
		w.get("User-Agent", "b")
		w.wants(2, "another")
	}},
	{name: "4.1 Vary: *", run: func(w *world) { w.origin.header.Set("Vary", "*"); twice(w, 2) }},
	{name: "4.2 a listed route is fresh for its rule's time", run: func(w *world) {
		w.origin.header.Set("Cache-Control", "max-age=0, private, must-revalidate")
		twice(w, 1)
		time.Sleep(61 * time.Second)
		w.get()
		w.wants(2, "after it")
	}},
	{name: "4.2 a rule without a time takes the server's", rules: Rule{NotFound: time.Second}, run: func(w *world) {
		w.origin.header.Set("Cache-Control", "max-age=30")
		w.get()
		time.Sleep(29 * time.Second)
		w.get()
		w.wants(1, "within")
		time.Sleep(2 * time.Second)
		w.get()
		w.wants(2, "after")
	}},
	{name: "4.2.3 the age it came with counts", run: func(w *world) {
		w.origin.header.Set("Age", "50")
		w.get()
		time.Sleep(9 * time.Second)
		w.get()
		w.wants(1, "59 s old")
		time.Sleep(2 * time.Second)
		w.get()
		w.wants(2, "61 s old")
	}},
	{name: "4.2.4 nothing stale is given unasked", rules: Rule{Fresh: time.Second}, run: func(w *world) {
		w.get()
		time.Sleep(2 * time.Second)
		w.origin.body = "new"
		if _, body := w.get(); body != "new" {
			w.Errorf("got %q", body)
		}
	}},
	{name: "4.3.1 a stale entry's tag is sent", rules: Rule{Fresh: time.Second}, run: func(w *world) {
		w.origin.header.Set("Etag", `W/"1"`)
		w.get()
		time.Sleep(2 * time.Second)
		if w.get(); w.last().Header.Get("If-None-Match") != `W/"1"` {
			w.Errorf("asked with %v", w.last().Header)
		}
	}},
	{name: "4.3.2 the client's own condition is answered", run: func(w *world) {
		w.origin.header.Set("Etag", `W/"1"`)
		w.get()
		if resp, body := w.get("If-None-Match", `"0", "1"`); resp.StatusCode != 304 || body != "" || resp.Header.Get("Etag") == "" {
			w.Errorf("%d, %q", resp.StatusCode, body)
		}
		if resp, body := w.get("If-None-Match", `"0"`); resp.StatusCode != 200 || body != "body" {
			w.Errorf("%d, %q", resp.StatusCode, body)
		}
		w.wants(1, "conditions")
	}},
	{name: "4.3.2 other conditions are the server's", run: func(w *world) {
		w.get()
		w.get("If-Modified-Since", time.Now().UTC().Format(http.TimeFormat))
		w.get("If-Match", `"1"`)
		w.wants(3, "conditions on dates, and for writes")
	}},
	{name: "4.3.3 a 304 makes it fresh again", rules: Rule{Fresh: time.Second}, run: func(w *world) {
		w.origin.header.Set("Etag", `"1"`)
		w.get()
		time.Sleep(2 * time.Second)
		w.get()
		w.get()
		w.wants(2, "one validation")
	}},
	{name: "4.3.3 a fault leaves the entry", rules: Rule{Fresh: time.Second}, run: func(w *world) {
		w.origin.header.Set("Etag", `"1"`)
		w.get()
		time.Sleep(2 * time.Second)
		w.origin.status = 500
		if resp, _ := w.get(); resp.StatusCode != 500 {
			w.Errorf("the fault was hidden: %d", resp.StatusCode)
		}
		w.origin.status = 200
		if resp, body := w.get(); resp.StatusCode != 200 || body != "body" || w.last().Header.Get("If-None-Match") == "" {
			w.Errorf("%d %q", resp.StatusCode, body)
		}
	}},
	{name: "4.4 a write makes it invalid", run: func(w *world) {
		w.get()
		w.ask("DELETE", "/kept")
		w.get()
		w.wants(3, "asked anew")
	}},
	{name: "4.4 a write that was refused does not", run: func(w *world) {
		w.get()
		w.origin.status = 422
		w.ask("PUT", "/kept")
		w.origin.status = 200
		w.get()
		w.wants(2, "still kept")
	}},
	{name: "5.1 Age", run: func(w *world) {
		w.get()
		time.Sleep(7 * time.Second)
		if resp, _ := w.get(); resp.Header.Get("Age") != "7" {
			w.Errorf("Age: %q", resp.Header.Get("Age"))
		}
	}},
	{name: "5.2.1.1 request max-age", run: func(w *world) {
		w.get()
		time.Sleep(10 * time.Second)
		w.get("Cache-Control", "max-age=20")
		w.wants(1, "young enough")
		w.get("Cache-Control", "max-age=5")
		w.wants(2, "too old")
	}},
	{name: "5.2.1.2 request max-stale", rules: Rule{Fresh: time.Second}, run: func(w *world) {
		w.origin.header.Set("Etag", `"1"`)
		w.get()
		time.Sleep(5 * time.Second)
		w.get("Cache-Control", "max-stale=10")
		w.get("Cache-Control", "max-stale")
		w.wants(1, "stale is wanted")
		w.get("Cache-Control", "max-stale=1")
		w.wants(2, "not so stale")
	}},
	{name: "5.2.1.3 request min-fresh", run: func(w *world) {
		w.get()
		w.get("Cache-Control", "min-fresh=30")
		w.wants(1, "fresh enough")
		time.Sleep(40 * time.Second)
		w.get("Cache-Control", "min-fresh=30")
		w.wants(2, "not fresh enough")
	}},
	{name: "5.2.1.4 request no-cache", run: func(w *world) {
		w.get()
		w.get("Cache-Control", "no-cache")
		w.wants(2, "asked anew")
		w.get()
		w.wants(2, "and kept")
	}},
	{name: "5.2.1.5 request no-store", run: func(w *world) {
		w.get("Cache-Control", "no-store")
		w.get()
		w.wants(2, "not kept")
		w.get("Cache-Control", "no-store")
		w.wants(3, "nor given")
	}},
	{name: "5.2.1.7 only-if-cached", run: func(w *world) {
		if resp, _ := w.get("Cache-Control", "only-if-cached"); resp.StatusCode != 504 {
			w.Errorf("nothing kept: %d", resp.StatusCode)
		}
		w.get()
		if resp, _ := w.get("Cache-Control", "only-if-cached"); resp.StatusCode != 200 {
			w.Errorf("kept: %d", resp.StatusCode)
		}
		w.wants(1, "no send")
	}},
	{name: "5.2.2.2 must-revalidate", rules: Rule{Fresh: time.Second}, run: func(w *world) {
		w.origin.header.Set("Cache-Control", "must-revalidate")
		w.get()
		time.Sleep(2 * time.Second)
		w.get("Cache-Control", "max-stale=60")
		w.wants(2, "max-stale does not overrule it")
	}},
	{name: "5.2.2.4 response no-cache", run: func(w *world) {
		w.origin.header.Set("Cache-Control", "no-cache")
		w.origin.header.Set("Etag", `"1"`)
		twice(w, 2)
		if w.last().Header.Get("If-None-Match") == "" {
			w.Error("it was fetched again and not validated")
		}
	}},
	{name: "5.2.3 what is not understood", run: func(w *world) {
		w.origin.header.Set("Cache-Control", `x="no-store, \" no-store", y`)
		twice(w, 1)
	}},
	{name: "5.4 Pragma", run: func(w *world) {
		w.get()
		w.get("Pragma", "no-cache")
		w.wants(2, "asked anew")
		w.get("Pragma", "no-cache", "Cache-Control", "max-age=60")
		w.wants(2, "Cache-Control goes first")
	}},
}

func twice(w *world, sends int) {
	w.Helper()
	w.get()
	w.get()
	w.wants(sends, "the same twice")
}

func TestRFC9111(t *testing.T) {
	for _, r := range requirements {
		t.Run(r.name, func(t *testing.T) {
			rule := r.rules
			if rule == (Rule{}) {
				rule.Fresh = time.Minute
			}
			rule.Route = "GET /kept"
			synctest.Test(t, func(t *testing.T) { r.run(newWorld(t, Options{Rules: []Rule{rule}})) })
		})
	}
}

// The guide has a row for each requirement, and no other.
func TestTheGuideListsTheRequirements(t *testing.T) {
	page, err := os.ReadFile("../docs/guide/caching.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed, tested []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([0-9][^`]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		listed = append(listed, row[1])
	}
	for _, r := range requirements {
		tested = append(tested, r.name)
	}
	if !slices.Equal(listed, tested) {
		t.Errorf("the guide lists %q\nthe test has %q", listed, tested)
	}
}
