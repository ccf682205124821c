package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/simulator"
)

// always refuses every listing in one form.
func always(retryAfter string) simulator.Fault {
	return simulator.Fault{Method: "GET", Path: "/api/v2/tickets*", Status: 429, RetryAfter: retryAfter}
}

// wholeSeconds is the one form of Retry-After that every client can read.
var wholeSeconds = regexp.MustCompile(`^[1-9][0-9]*$`)

// refusedReadably checks a refusal as its reader would.
func refusedReadably(resp *http.Response) error {
	if resp.StatusCode != http.StatusTooManyRequests {
		return fmt.Errorf("status %d is no refusal", resp.StatusCode)
	}
	if text := resp.Header.Get("Retry-After"); !wholeSeconds.MatchString(text) {
		return fmt.Errorf("Retry-After is %q", text)
	}
	return nil
}

// Behaviour C2: when the gateway gives up, its Retry-After is a whole number of at least 1, whatever the account said.
func TestRefusalsThatReachClientsAreReadable(t *testing.T) {
	for name, retryAfter := range map[string]string{"zero": "0", "missing": "none", "decimal": "7.5", "date": soon(), "words": "later"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, simulator.Options{Faults: []simulator.Fault{always(retryAfter)}})
			f := a.govern(t, func(o *gateway.Options) { o.MaxWait = time.Second })
			for range 3 { // the account's own answer first, then the gateway's
				resp := get(t, f.url+"/api/v2/tickets.json")
				resp.Body.Close()
				if err := refusedReadably(resp); err != nil {
					t.Error(err)
				}
			}
			resp := get(t, a.url+"/api/v2/tickets.json")
			resp.Body.Close()
			if refusedReadably(resp) == nil {
				t.Error("the check is blind: the account's own refusal is readable too")
			}
		})
	}
}

// Behaviour C2: a program that crashes on the account's refusals can read the gateway's.
func TestAProgramCanReadTheRefusalsOfAGatewayThatNeverWaits(t *testing.T) {
	for _, form := range []string{"none", "1.5", soon()} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			fault := always(form)
			fault.Nth = []int{1, 3}
			opts := simulator.Options{Faults: []simulator.Fault{fault}}
			c := named("requests")
			f := newAccount(t, opts).govern(t, func(o *gateway.Options) { o.MaxWait = -1 })
			if o := c.run(t, time.Minute, f.url, "list"); !whole(o) {
				t.Errorf("through flyball: %v", o)
			}
			if o := c.run(t, time.Minute, newAccount(t, opts).url, "list"); o.crash == "" {
				t.Errorf("without flyball it did not crash: %v", o)
			}
		})
	}
}

// Behaviour C1: a gateway told to give up with 503 makes node-zendesk fail aloud, where a 429 would be data to it.
func TestGivingUpCanBeMadeAnErrorForNodeZendesk(t *testing.T) {
	opts := simulator.Options{Faults: []simulator.Fault{always("7")}}
	c := named("node-zendesk")
	for status, fails := range map[int]bool{http.StatusServiceUnavailable: true, http.StatusTooManyRequests: false} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			f := newAccount(t, opts).govern(t, func(o *gateway.Options) { o.MaxWait, o.GiveUp = time.Second, status })
			o := c.run(t, time.Minute, f.url, "list")
			t.Log(o)
			if (o.crash != "") != fails {
				t.Errorf("the program failed: %v; expected %v: %v", o.crash != "", fails, o)
			}
		})
	}
}
