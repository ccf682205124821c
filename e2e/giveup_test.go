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

// refusesListings is an account that refuses these listings, or all.
func refusesListings(t *testing.T, retryAfter string, nth ...int) *account {
	return refusing(t, "GET", "/api/v2/tickets*", simulator.Fault{Nth: nth, Status: 429, RetryAfter: retryAfter})
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
	t.Parallel()
	for name, retryAfter := range map[string]string{"zero": "0", "missing": "none", "decimal": "7.5", "date": inAWhile, "words": "later"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := refusesListings(t, retryAfter)
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
	t.Parallel()
	for _, form := range []string{"none", "1.5", inAWhile} {
		t.Run(form, func(t *testing.T) {
			turn(t)
			c := named("requests")
			f := refusesListings(t, form, 1, 3).govern(t, func(o *gateway.Options) { o.MaxWait = -1 })
			if o := c.run(t, time.Minute, f.url, "list"); !whole(o) {
				t.Errorf("through flyball: %v", o)
			}
			if o := c.run(t, time.Minute, refusesListings(t, form, 1, 3).url, "list"); o.crash == "" {
				t.Errorf("without flyball it did not crash: %v", o)
			}
		})
	}
}

// Behaviour C1: a gateway told to give up with 503 makes node-zendesk fail aloud, where a 429 would be data to it.
func TestGivingUpCanBeMadeAnErrorForNodeZendesk(t *testing.T) {
	t.Parallel()
	c := named("node-zendesk")
	for status, fails := range map[int]bool{http.StatusServiceUnavailable: true, http.StatusTooManyRequests: false} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			turn(t)
			f := refusesListings(t, "7").govern(t, func(o *gateway.Options) { o.MaxWait, o.GiveUp = time.Second, status })
			o := c.run(t, time.Minute, f.url, "list")
			t.Log(o)
			if (o.crash != "") != fails {
				t.Errorf("the program failed: %v; expected %v: %v", o.crash != "", fails, o)
			}
		})
	}
}
