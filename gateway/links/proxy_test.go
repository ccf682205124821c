package links

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"
)

var someday = time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)

// proxied is a Zendesk of one handler and a reverse proxy with a Rewriter
// before it, as the gateway is built.
func proxied(t *testing.T, handler http.HandlerFunc) (address string) {
	t.Helper()
	zendesk := httptest.NewServer(handler)
	t.Cleanup(zendesk.Close)
	target, err := url.Parse(zendesk.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	front := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:        func(p *httputil.ProxyRequest) { p.SetURL(target) },
		ModifyResponse: rewriter(t, Navigation).Response,
		Transport:      transport,
	})
	t.Cleanup(front.Close)
	return front.URL
}

func fetch(t *testing.T, method, address string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestAPageIsWholeOverTheWire(t *testing.T) {
	text := listing(300 << 10)
	want := strings.Replace(text, `"next_page":"`+upstream, `"next_page":"`+gateway, 1)
	for _, packed := range []bool{false, true} {
		address := proxied(t, func(w http.ResponseWriter, _ *http.Request) {
			body := text
			if packed {
				body = zipped(t, text)
				w.Header().Set("Content-Encoding", "gzip")
			}
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Digest", "sha-256=:x:")
			w.Header().Add("Set-Cookie", "a=1")
			w.Header().Add("Set-Cookie", "b=2")
			http.ServeContent(w, &http.Request{}, "", someday, strings.NewReader(body))
		})
		got, body := fetch(t, http.MethodGet, address)
		if packed {
			body = unzipped(t, body)
		}
		if body != want {
			t.Errorf("packed %v: %d bytes came, want %d", packed, len(body), len(want))
		}
		head, _ := fetch(t, http.MethodHead, address)
		for _, name := range append([]string{"Content-Encoding", "Content-Type"}, stale...) {
			if h, g := head.Header.Get(name), got.Header.Get(name); h != g {
				t.Errorf("packed %v: %s is %q for HEAD, %q for GET", packed, name, h, g)
			}
		}
		if n := len(got.Header["Set-Cookie"]); n != 2 {
			t.Errorf("packed %v: %d cookies came, want 2", packed, n)
		}
	}
}

func TestTrailersPassTheFilter(t *testing.T) {
	address := proxied(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.WriteString(w, page)
		w.Header().Set("X-Sum", "42")
	})
	resp, body := fetch(t, http.MethodGet, address)
	if body != pageDone || resp.Trailer.Get("X-Sum") != "42" {
		t.Errorf("got %q with trailers %v", body, resp.Trailer)
	}
}

func TestAFlushedPieceArrivesBeforeTheNextIsSent(t *testing.T) {
	arrived := make(chan struct{})
	address := proxied(t, func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		_, _ = io.WriteString(zip, page[:60])
		_ = zip.Flush()
		_ = http.NewResponseController(w).Flush()
		select {
		case <-arrived:
		case <-req.Context().Done():
		}
		_, _ = io.WriteString(zip, page[60:])
		_ = zip.Close()
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	unzip, err := gzip.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 60)
	if _, err := io.ReadFull(unzip, first); err != nil {
		t.Fatal(err)
	}
	close(arrived)
	rest, err := io.ReadAll(unzip)
	if err != nil || string(first)+string(rest) != pageDone {
		t.Errorf("got %s%s, %v", first, rest, err)
	}
}
