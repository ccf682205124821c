package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flyballhq/flyball/simulator"
)

// The forms in which page 2 is refused, once.
var refusalForms = []struct {
	name       string
	status     int
	retryAfter string
	whole      []string // the clients that come through it by themselves
}{
	{"seconds", 429, "2", []string{"requests", "fetch"}},
	{"zero", 429, "0", []string{"requests", "fetch"}},
	{"missing", 429, "none", []string{"fetch"}},
	{"decimal", 429, "1.5", []string{"fetch"}},
	{"date", 429, inAWhile, []string{"fetch"}},
	{"503", 503, "1", nil}, // how old throttles refused
}

// secondPages is the path of every page of tickets but the first.
const secondPages = "/api/v2/tickets*?*page*after*"

// inAWhile stands for the HTTP date of three seconds after the account began.
const inAWhile = "in a while"

// refusing is an account that refuses the nth of the requests to path.
func refusing(t *testing.T, method, path string, refusals ...simulator.Fault) *account {
	t.Helper()
	for i := range refusals {
		refusals[i].Method, refusals[i].Path = method, path
		if refusals[i].RetryAfter == inAWhile {
			refusals[i].RetryAfter = time.Now().Add(3 * time.Second).UTC().Format(http.TimeFormat)
		}
	}
	return newAccount(t, simulator.Options{Faults: refusals})
}

// Behaviour C1: no client takes a 429 for a page, for none gets to see one.
// Behaviour A6: a refusal in any form costs a wait and nothing else.
func TestListingsAreWholeWhateverARefusalLooksLike(t *testing.T) {
	t.Parallel()
	for _, form := range refusalForms {
		refusesOnce := func(t *testing.T) *account {
			return refusing(t, "GET", secondPages, simulator.Fault{Nth: []int{1}, Status: form.status, RetryAfter: form.retryAfter})
		}
		for _, c := range clients {
			t.Run(form.name+"/"+c.name, func(t *testing.T) {
				turn(t)
				a := refusesOnce(t)
				f := a.govern(t)
				o := c.run(t, time.Minute, f.url, "list")
				if !whole(o) {
					t.Errorf("through flyball: %v", o)
				}
				t.Logf("through flyball: %v", o)
				if refused := a.Ledger().Status[form.status]; refused != 1 {
					t.Errorf("the account refused %d times, not once: nothing was tried", refused)
				}
			})
			t.Run(form.name+"/"+c.name+"/alone", func(t *testing.T) {
				turn(t)
				o := c.run(t, time.Minute, refusesOnce(t).url, "list")
				t.Logf("without flyball: %v", o)
				if want := has(form.whole, c.name); whole(o) != want {
					t.Errorf("without flyball, the listing is whole: %v; expected %v", whole(o), want)
				}
			})
		}
	}
}

// whole reports whether a listing has each of the 250 tickets once.
func whole(o outcome) bool { return len(o.ids) == 250 && o.different() == 250 }

// Behaviour C4: page 2 comes through the gateway as page 1 did.
// Behaviour C5: the gateway's links begin with the address that a client was given, for some follow no others.
func TestNextPagesComeBackThroughTheGateway(t *testing.T) {
	t.Parallel()
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			turn(t)
			a := newAccount(t, simulator.Options{})
			f := a.govern(t)
			if !returns(t, c, a, f.url, &f.sends) {
				t.Error("the pages did not all come through the gateway")
			}
			if c.name == "go-zendesk" {
				return // it follows no links, it makes its own
			}
			a = newAccount(t, simulator.Options{})
			url, sends := bareProxy(t, a)
			if returns(t, c, a, url, sends) {
				t.Error("the check is blind: the links of a proxy that rewrites nothing led back to it")
			}
		})
	}
}

// returns reports whether a listing through url is whole and every request of
// it that the account saw was sent by what stands at url.
func returns(t *testing.T, c client, a *account, url string, sends *atomic.Int64) bool {
	t.Helper()
	o := c.run(t, time.Minute, url, "list")
	seen, sent := a.Ledger().Sends, int(sends.Load())
	t.Logf("%v; the account saw %d requests, %d of them from the proxy", o, seen, sent)
	return whole(o) && seen == sent
}

// bareProxy is the naive gateway: it passes everything on as it is.
func bareProxy(t *testing.T, a *account) (string, *atomic.Int64) {
	t.Helper()
	upstream, err := url.Parse(a.url)
	if err != nil {
		t.Fatal(err)
	}
	var sends atomic.Int64
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		Transport: counting{http.DefaultTransport, &sends},
	}
	s := httptest.NewServer(proxy)
	t.Cleanup(s.Close)
	return s.URL, &sends
}
