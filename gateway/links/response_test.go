package links

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

const (
	page     = `{"tickets":[{"url":"https://acme.zendesk.com/api/v2/tickets/1.json"}],"next_page":"https://acme.zendesk.com/api/v2/tickets?page=2"}`
	pageDone = `{"tickets":[{"url":"https://acme.zendesk.com/api/v2/tickets/1.json"}],"next_page":"http://127.0.0.1:4290/api/v2/tickets?page=2"}`
)

// stale are the headers that describe the bytes of the upstream's body.
var stale = []string{
	"Content-Length", "Accept-Ranges", "Content-Md5", "Digest", "Content-Digest", "Repr-Digest",
}

// described is an answer with every header that describes its body.
func described(method string, status int, media, encoding, body string) *http.Response {
	resp := answer(strings.NewReader(body))
	resp.StatusCode = status
	resp.Request.Method = method
	resp.ContentLength = int64(len(body))
	for _, name := range stale {
		resp.Header.Set(name, "x")
	}
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	resp.Header.Set("Content-Type", media)
	resp.Header.Set("Etag", `W/"abc"`)
	if encoding != "" {
		resp.Header.Set("Content-Encoding", encoding)
	}
	if method == http.MethodHead {
		resp.Body = http.NoBody
	}
	return resp
}

// checkHeaders gives answers of every kind to respond, and says what is untrue
// of the result.
func checkHeaders(t *testing.T, respond func(*http.Response) error) error {
	t.Helper()
	const json = "application/json; charset=utf-8"
	for _, c := range []struct {
		name, media, encoding, body, want string
		status                            int
		changes                           bool
	}{
		{"json", json, "", page, pageDone, 200, true},
		{"created", "Application/JSON", "identity", page, pageDone, 201, true},
		{"an error", "application/problem+json", "", page, pageDone, 422, true},
		{"gzip", json, "gzip", zipped(t, page), pageDone, 200, true},
		{"gzip by its old name", json, "x-gzip", zipped(t, page), pageDone, 200, true},
		{"brotli", json, "br", page, page, 200, false},
		{"zstandard", json, "zstd", page, page, 200, false},
		{"two encodings", json, "gzip, br", page, page, 200, false},
		{"html", "text/html", "", page, page, 200, false},
		{"text", "text/plain", "", page, page, 201, false},
		{"nothing but a suffix", "+json", "", page, page, 200, false},
		{"no content", json, "", "", "", 204, false},
		{"reset content", json, "", "", "", 205, false},
		{"partial", json, "", page, page, 206, false},
		{"not modified", json, "gzip", "", "", 304, false},
		{"an upgrade", json, "", page, page, 101, false},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			resp := described(method, c.status, c.media, c.encoding, c.body)
			if err := respond(resp); err != nil {
				return err
			}
			name := method + " of " + c.name
			for _, h := range stale[1:] {
				if kept := resp.Header.Get(h) != ""; kept == c.changes {
					return fmt.Errorf("%s: %s kept is %v", name, h, kept)
				}
			}
			if got := resp.Header.Get("Etag"); got != `W/"abc"` {
				return fmt.Errorf("%s: ETag is %s", name, got)
			}
			if got := resp.Header.Get("Content-Encoding"); got != c.encoding {
				return fmt.Errorf("%s: Content-Encoding is %q", name, got)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if err := checkLength(resp, len(body), c.changes); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			got := string(body)
			if method == http.MethodHead {
				c.want = ""
			} else if c.changes && strings.HasSuffix(c.encoding, "gzip") {
				got = unzipped(t, got)
			}
			if want := c.want; method != http.MethodHead && got != want {
				return fmt.Errorf("%s:\n got %q\nwant %q", name, got, want)
			}
			if method == http.MethodHead {
				break
			}
			if err := resp.Body.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkLength reports an announced length that is not the body's.
func checkLength(resp *http.Response, length int, changes bool) error {
	header := resp.Header.Get("Content-Length")
	if (header == "") != (resp.ContentLength == -1) {
		return fmt.Errorf("Content-Length is %q, the answer's length %d", header, resp.ContentLength)
	}
	switch head := resp.Request.Method == http.MethodHead; {
	case head && changes != (header == ""):
		return fmt.Errorf("Content-Length is %q", header)
	case !head && header != "" && header != strconv.Itoa(length):
		return fmt.Errorf("Content-Length is %s, %d bytes came", header, length)
	}
	return nil
}

// Behaviour I4: a body that may be rewritten loses what described its bytes, for HEAD too; others are untouched.
func TestHeadersStayTrueOfTheBody(t *testing.T) {
	r := rewriter(t, Navigation)
	if err := checkHeaders(t, r.Response); err != nil {
		t.Error(err)
	}
	rewriteBody := func(resp *http.Response) {
		body, _ := io.ReadAll(resp.Body)
		resp.Body = io.NopCloser(strings.NewReader(strings.ReplaceAll(string(body), `_page":"`+upstream, `_page":"`+gateway)))
	}
	twins := map[string]func(*http.Response) error{
		"keeps the Content-Length": func(resp *http.Response) error {
			length, header := resp.ContentLength, resp.Header.Get("Content-Length")
			err := r.Response(resp)
			resp.ContentLength = length
			resp.Header.Set("Content-Length", header)
			return err
		},
		"drops for GET only": func(resp *http.Response) error {
			if resp.Request.Method == http.MethodHead {
				return nil
			}
			return r.Response(resp)
		},
		"rewrites partial content": func(resp *http.Response) error {
			if resp.StatusCode == http.StatusPartialContent {
				rewriteBody(resp)
			}
			return r.Response(resp)
		},
		"looks for links in packed bytes": func(resp *http.Response) error {
			if resp.Header.Get("Content-Encoding") != "gzip" {
				return r.Response(resp)
			}
			rewriteBody(resp)
			resp.ContentLength = -1
			for _, name := range stale {
				resp.Header.Del(name)
			}
			return nil
		},
	}
	for name, twin := range twins {
		if checkHeaders(t, twin) == nil {
			t.Errorf("the check does not notice a twin that %s", name)
		}
	}
}

func TestAnswersOfTwoKindsStayAsTheyAre(t *testing.T) {
	for _, name := range []string{"Content-Type", "Content-Encoding"} {
		resp := described(http.MethodGet, 200, "application/json", "identity", page)
		resp.Header.Add(name, resp.Header.Get(name))
		if err := rewriter(t, Navigation).Response(resp); err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); string(body) != page || err != nil {
			t.Errorf("two of %s: got %s, %v", name, body, err)
		}
	}
}

func TestAStrongETagIsMadeWeak(t *testing.T) {
	r := rewriter(t, Navigation)
	resp := described(http.MethodGet, 200, "application/json", "", page)
	resp.Header.Set("Etag", `"abc"`)
	if err := r.Response(resp); err != nil {
		t.Fatal(err)
	}
	if got := resp.Header.Get("Etag"); got != `W/"abc"` {
		t.Errorf("ETag is %s", got)
	}
}

func TestGzipIsKeptIfAskedFor(t *testing.T) {
	r := rewriter(t, Navigation)
	for accept, kept := range map[string]bool{
		"gzip": true, "br;q=1, x-gzip ; q=0.5": true, "deflate, *": true, "GZIP;Q=1": true,
		"": false, "identity": false, "gzip;q=0": false, "*;q=0.0": false, "gzip; q=0.000, *": false, "br": false,
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			resp := described(method, 200, "application/json", "gzip", zipped(t, page))
			resp.Request.Header.Set("Accept-Encoding", accept)
			if err := r.Response(resp); err != nil {
				t.Fatal(err)
			}
			if got := resp.Header.Get("Content-Encoding") == "gzip"; got != kept {
				t.Errorf("%s asking for %q: gzip kept is %v, want %v", method, accept, got, kept)
			}
			if method == http.MethodHead {
				continue
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			got := string(body)
			if kept {
				got = unzipped(t, got)
			}
			if got != pageDone {
				t.Errorf("asking for %q: got %s", accept, got)
			}
		}
	}
}

func TestOnlySmallAnnouncedBodiesAreReadAhead(t *testing.T) {
	big := listing(20 << 10)
	for _, c := range []struct {
		name, body string
		announced  bool
		cut        error
		ahead      bool
	}{
		{"small", page, true, nil, true},
		{"not announced", page, false, nil, false},
		{"big", big, true, nil, false},
		{"cut", page[:40], true, errCut, false},
	} {
		for _, encoding := range []string{"", "gzip"} {
			text := c.body
			if encoding != "" {
				text = zipped(t, text)
				if c.name == "big" || c.cut != nil {
					continue // small when packed; a cut is another error
				}
			}
			src := &pieces{text: text, size: 100, err: c.cut}
			resp := answer(src)
			resp.Header.Set("Content-Encoding", encoding)
			if c.announced {
				resp.ContentLength = int64(len(text))
			}
			if err := rewriter(t, Navigation).Response(resp); err != nil {
				t.Fatal(err)
			}
			if !c.announced && src.text != text {
				t.Errorf("%s: the body was read", c.name)
			}
			if ahead := resp.ContentLength >= 0; ahead != c.ahead {
				t.Errorf("%s, %q: the length is %d", c.name, encoding, resp.ContentLength)
			}
			got, err := readPieces(resp.Body, 64)
			if encoding != "" {
				got = unzipped(t, got)
			}
			if want := through(t, rewriter(t, Navigation), c.body, 4096); got != want || !errors.Is(err, c.cut) {
				t.Errorf("%s, %q: got %d bytes, %v; want %d", c.name, encoding, len(got), err, len(want))
			}
			_ = resp.Body.Close()
		}
	}
}

func TestASmallBodyThatExpandsIsNotHeld(t *testing.T) {
	text := `{"next_page":"` + upstream + `/api/v2/x","pad":"` + strings.Repeat("0", 1<<20) + `"}`
	packed := zipped(t, text)
	resp := described(http.MethodGet, 200, "application/json", "gzip", packed)
	resp.ContentLength = aheadMax // as if it were
	resp.Request.Header.Set("Accept-Encoding", "identity")
	if err := rewriter(t, Navigation).Response(resp); err != nil {
		t.Fatal(err)
	}
	if resp.ContentLength != -1 {
		t.Errorf("the length is %d before the end was seen", resp.ContentLength)
	}
	got, err := io.ReadAll(resp.Body)
	if want := strings.Replace(text, upstream, gateway, 1); string(got) != want || err != nil {
		t.Errorf("%d bytes came, %v, want %d", len(got), err, len(want))
	}
}

func TestModeOffTouchesNothing(t *testing.T) {
	r := rewriter(t, Off)
	resp := described(http.MethodGet, 200, "application/json", "", page)
	resp.Header.Set("Location", upstream+"/api/v2/x")
	before, body := fmt.Sprint(resp.Header, resp.ContentLength), resp.Body
	if err := r.Response(resp); err != nil {
		t.Fatal(err)
	}
	if after := fmt.Sprint(resp.Header, resp.ContentLength); after != before || resp.Body != body {
		t.Errorf("the answer changed from %s to %s", before, after)
	}
}

func TestAnUnusableAddressIsRefused(t *testing.T) {
	for _, from := range []string{"", "acme", "acme.zendesk.com", "https://", "https://a/b", "ftp://a", "https://u@a", "https://a?b", "https://a:b"} {
		if _, err := New([]string{from}, gateway, Navigation); err == nil {
			t.Errorf("links of %q: no error", from)
		}
	}
	for _, to := range []string{"", "127.0.0.1", "//a", "ftp://a", "https://u:p@a", "https://a?b", "https://a/,", "https://a b"} {
		if r, err := New([]string{upstream}, to, Navigation); err == nil {
			t.Errorf("links to %q: no error but %s", to, r.to.header)
		}
	}
	if _, err := New([]string{upstream}, gateway, Off+1); err == nil {
		t.Error("an unknown mode: no error")
	}
	if _, err := ParseMode("some"); err == nil {
		t.Error("an unknown mode's name: no error")
	}
	for _, m := range []Mode{Navigation, All, Off} {
		if got, err := ParseMode(m.String()); got != m || err != nil {
			t.Errorf("ParseMode(%q) = %v, %v", m, got, err)
		}
	}
}

func TestLinksMayLeadToAPathPrefix(t *testing.T) {
	r, err := rewriter(t, Navigation).To("https://proxy.example/zendesk/")
	if err != nil {
		t.Fatal(err)
	}
	got := through(t, r, `{"next_page":"https:\/\/acme.zendesk.com\/api\/v2\/x"}`, 4096)
	if want := `{"next_page":"https:\/\/proxy.example\/zendesk\/api\/v2\/x"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
