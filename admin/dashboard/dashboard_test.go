package dashboard_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/flyballhq/flyball/admin/dashboard"
)

func pages(t *testing.T) map[string]http.HandlerFunc {
	t.Helper()
	all, err := dashboard.Pages()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func get(t *testing.T, page http.HandlerFunc, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	page(w, r)
	return w
}

// Each file says what it is, and that nothing from elsewhere may be added to it.
func TestTheDashboardMayLoadOnlyItself(t *testing.T) {
	kinds := map[string]string{"/": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".txt": "text/plain"}
	for path, page := range pages(t) {
		w := get(t, page, path)
		kind := kinds[path[max(strings.LastIndexByte(path, '.'), 0):]]
		if got := w.Header().Get("Content-Type"); kind == "" || !strings.HasPrefix(got, kind) {
			t.Errorf("%s is sent as %q, want %q", path, got, kind)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: a browser may take it for something else", path)
		}
		rules := strings.Split(w.Header().Get("Content-Security-Policy"), "; ")
		for _, rule := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
			if !slices.Contains(rules, rule) {
				t.Errorf("%s: the policy %q lacks %q", path, rules, rule)
			}
		}
	}
}

// A browser asks each time, and is told in a few bytes that nothing changed:
// after an update of flyball no old script runs.
func TestTheDashboardIsKeptButAskedFor(t *testing.T) {
	for path, page := range pages(t) {
		first := get(t, page, path)
		tag := first.Header().Get("ETag")
		if first.Code != http.StatusOK || tag == "" || first.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %d, ETag %q, Cache-Control %q", path, first.Code, tag, first.Header().Get("Cache-Control"))
		}
		if again := get(t, page, path, "If-None-Match", tag); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s again: %d with %d bytes, want 304 without", path, again.Code, again.Body.Len())
		}
		if other := get(t, page, path, "If-None-Match", `"old"`); other.Code != http.StatusOK {
			t.Errorf("%s after an update: %d, want it whole", path, other.Code)
		}
	}
}

var (
	elsewhere = regexp.MustCompile(`(?i)(?:https?:)?//[a-z0-9-]+\.[a-z]|@import|url\(`)
	inline    = regexp.MustCompile(`(?is)<script[^>]*>[^<\s]|<style|\sstyle=|\son\w+\s*=|javascript:`)
	referred  = regexp.MustCompile(`(?:href|src)="([^"#]+)"|from "\./([^"]+)"`)
	harmless  = strings.NewReplacer(
		"/*! https://github.com/leeoniya/uPlot (v1.6.32) */", "", // who made it
		`xmlns="http://www.w3.org/2000/svg"`, "", // a name, which nobody loads
	)
)

// The page works where there is no network but the gateway's.
func TestTheDashboardNeedsNothingFromElsewhere(t *testing.T) {
	for _, text := range []string{`src="https://cdn.example/x.js"`, `@import "x.css"`, `url(//a.example/b)`} {
		if !elsewhere.MatchString(text) {
			t.Errorf("the check does not see %s", text)
		}
	}
	all := pages(t)
	for path, page := range all {
		text := harmless.Replace(get(t, page, path).Body.String())
		if found := elsewhere.FindString(text); found != "" && !strings.HasSuffix(path, "license.txt") {
			t.Errorf("%s refers to %q: the page must work without a network", path, found)
		}
		if path == "/" && inline.MatchString(text) {
			t.Errorf("%s has script or style in it, which its policy forbids: %q", path, inline.FindString(text))
		}
		if strings.HasSuffix(path, "uplot.js") {
			continue
		}
		for _, match := range referred.FindAllStringSubmatch(text, -1) {
			at := "/" + match[1]
			if match[2] != "" {
				at = "/dashboard/" + match[2]
			}
			if all[at] == nil && !strings.HasPrefix(at, "/api/") {
				t.Errorf("%s refers to %s, which is not there", path, at)
			}
		}
	}
	if got := slices.Sorted(maps.Keys(all)); !slices.Contains(got, "/dashboard/uplot-license.txt") {
		t.Errorf("the licence of uPlot is not among %q", got)
	}
}
