package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/gateway/links"
)

// paging is an account whose answers name their next page, in the body and in
// Link, by the account's own address.
func paging(t *testing.T) *url.URL {
	return upstream(t, func(w http.ResponseWriter, r *http.Request) {
		next := "http://" + r.Host + "/api/v2/tickets.json?page=2"
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Link", "<"+next+`>; rel="next"`)
		_, _ = io.WriteString(w, `{"tickets":[],"next_page":"`+next+`"}`)
	})
}

// nextPages asks for a page under host and returns the two links to the next.
func nextPages(t *testing.T, address, host string, header ...string) (link, body string) {
	t.Helper()
	req := request(t, http.MethodGet, address+"/api/v2/tickets.json", nil, header...)
	req.Host = host
	resp, text := do(t, client(t), req)
	link, _, _ = strings.Cut(strings.TrimPrefix(resp.Header.Get("Link"), "<"), "/api/")
	_, body, _ = strings.Cut(text, `"next_page":"`)
	body, _, _ = strings.Cut(body, "/api/")
	return link, body
}

// Behaviour C5: links lead to the public URL or to a listed Host, and a forged Host never gets into them
func TestLinksLeadToTheGatewayAndNeverToAForgedHost(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	elsewhere := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	public := parse(t, "https://zd.example.com")
	forwarded := []string{"X-Forwarded-Host", "zd.example.com", "X-Forwarded-Proto", "https"}
	tests := []struct {
		name   string
		opts   gateway.Options
		host   string
		header []string
		want   string // "" is the listener's own address
	}{
		{"the address itself", gateway.Options{}, "", nil, ""},
		{"a loopback name with a port of its own", gateway.Options{}, "localhost:8080", nil, "http://localhost:8080"},
		{"a forged Host", gateway.Options{}, "evil.example", nil, ""},
		{"a forged Host that begins well", gateway.Options{}, "localhost.evil.example", nil, ""},
		{"a Host with a path in it", gateway.Options{}, "localhost:80/evil", nil, ""},
		{"a Host with a user in it", gateway.Options{}, "localhost@evil.example", nil, ""},
		{"a listed Host", gateway.Options{AllowedHosts: []string{"zd.internal"}}, "ZD.internal:4290", nil, "http://ZD.internal:4290"},
		{"a Host that is not listed", gateway.Options{AllowedHosts: []string{"zd.internal"}}, "evil.example", nil, ""},
		{"a public URL, whatever the Host", gateway.Options{PublicURL: public}, "evil.example", nil, "https://zd.example.com"},
		{"a public URL with a path", gateway.Options{PublicURL: parse(t, "https://example.com/zendesk/")}, "", nil, "https://example.com/zendesk"},
		{"forwarded by nobody in particular", gateway.Options{}, "", forwarded, ""},
		{"forwarded by a peer that is not trusted", gateway.Options{TrustedPeers: elsewhere}, "", forwarded, ""},
		{"forwarded by a trusted peer", gateway.Options{TrustedPeers: loopback}, "", forwarded, "https://zd.example.com"},
		{"forwarded by a trusted peer, but not listed", gateway.Options{TrustedPeers: loopback, AllowedHosts: []string{"zd.internal"}}, "", []string{"X-Forwarded-Host", "evil.example"}, ""},
		{"only the scheme forwarded", gateway.Options{TrustedPeers: loopback, AllowedHosts: []string{"zd.internal"}}, "zd.internal", []string{"X-Forwarded-Proto", "https"}, "https://zd.internal"},
		{"garbage forwarded", gateway.Options{TrustedPeers: loopback}, "", []string{"X-Forwarded-Host", `a"b/c`}, ""},
	}
	account := paging(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.opts.Upstream = account
			g := start(t, test.opts)
			if err := checkLinks(t, g.url, test.host, test.want, test.header); err != nil {
				t.Error(err)
			}
		})
	}
	// The twin believes the Host header.
	twin := naive(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := plainProxy(account)
		p.ModifyResponse = func(resp *http.Response) error {
			rewriter, err := links.New([]string{account.String()}, "http://"+r.Host, links.Navigation)
			if err != nil {
				return err
			}
			return rewriter.Response(resp)
		}
		d := p.Director                                                          //nolint:staticcheck // the twin is how it was done
		p.Director = func(out *http.Request) { d(out); out.Host = account.Host } //nolint:staticcheck // the twin is how it was done
		p.ServeHTTP(w, r)
	}))
	if err := checkLinks(t, twin, "localhost:8080", "http://localhost:8080", nil); err != nil {
		t.Errorf("the twin is not what it should be: %v", err)
	}
	if err := checkLinks(t, twin, "evil.example", "", nil); err == nil {
		t.Error("the check passes a gateway that believes a forged Host")
	}
}

func checkLinks(t *testing.T, address, host, want string, header []string) error {
	t.Helper()
	if want == "" {
		want = address
	}
	if link, body := nextPages(t, address, host, header...); link != want || body != want {
		return fmt.Errorf("Host %q: links lead to %q (Link) and %q (body), want %q", host, link, body, want)
	}
	return nil
}

func TestAnUnknownHostIsLoggedOnce(t *testing.T) {
	g := start(t, gateway.Options{Upstream: paging(t)})
	for range 3 {
		nextPages(t, g.url, "flyball.internal:4290")
	}
	g.log.wait(t, "--public-url")
	if got := strings.Count(g.log.String(), "unknown Host"); got != 1 {
		t.Errorf("%d lines about an unknown Host, want 1:\n%s", got, g.log)
	}
}

func TestLinksCanBeLeftAlone(t *testing.T) {
	account := paging(t)
	g := start(t, gateway.Options{Upstream: account, RewriteLinks: links.Off})
	if link, body := nextPages(t, g.url, ""); link != account.String() || body != account.String() {
		t.Errorf("links lead to %q and %q, want the account's own", link, body)
	}
}
