package simulator

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzServe throws requests at the account: it answers each with a status and
// counts it once.
func FuzzServe(f *testing.F) {
	for _, e := range Endpoints() {
		method, path, _ := strings.Cut(e, " ")
		f.Add(method, strings.NewReplacer("{id}", "3", "{", "", "}", "").Replace(path), "page[size]=2", `{"ticket":{"subject":"x"}}`)
	}
	f.Add("GET", "//api/v2//tickets/%2f.json", "page=999&%zz;", "")
	f.Add("BREW", "/api/v2", "", "\x00")
	s := New(Options{Latency: Fixed(0), Others: 1, KeepRequests: 10, BoundarySkew: 1e9})
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		u := &url.URL{Path: path, RawQuery: query}
		if isControl(u.EscapedPath()) {
			return
		}
		before := s.Ledger().Sends
		r := &http.Request{Method: method, URL: u, Host: "a", Header: http.Header{"Authorization": {"x"}}, Body: http.NoBody}
		r.Body = http.MaxBytesReader(nil, readCloser{strings.NewReader(body)}, 1<<20)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if after := s.Ledger().Sends; w.Code < 200 || w.Code > 599 || after != before+1 {
			t.Errorf("%s %s: %d, %d sends more", method, path, w.Code, after-before)
		}
	})
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
