package gateway_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/limit"
)

// What was decided for a call is its own: the name in logs, weight, class and
// the longest wait, which a caller can only shorten, even where it is longer
// than the gateway's.
func TestWhatIsDecidedForACallHoldsForIt(t *testing.T) {
	decided := gateway.Decision{
		Client: "warehouse-sync", Weight: 2, Class: limit.Bulk, HasClass: true, Ceiling: limit.Normal, MaxWait: 10 * time.Minute,
	}
	for _, tt := range []struct {
		name   string
		header []string
		want   gateway.Ask
	}{
		{"nothing said", nil, gateway.Ask{Class: limit.Bulk, MaxWait: 10 * time.Minute}},
		{"a name of its own", []string{"Flyball-Client", "me"}, gateway.Ask{Class: limit.Bulk, MaxWait: 10 * time.Minute}},
		{"up to the ceiling", []string{"Flyball-Class", "interactive"}, gateway.Ask{Class: limit.Normal, MaxWait: 10 * time.Minute}},
		{"less", []string{"Prefer", "wait=90"}, gateway.Ask{Class: limit.Bulk, MaxWait: 90 * time.Second, Waits: true}},
		{"more", []string{"Prefer", "wait=900"}, gateway.Ask{Class: limit.Bulk, MaxWait: 10 * time.Minute, Waits: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			seen := make(chan gateway.Ask, 1)
			g := start(t, gateway.Options{
				Upstream: parse(t, "https://acme.example"), Label: label, MaxWait: 5 * time.Second,
				Decide: func(*http.Request) gateway.Decision { return decided },
				Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
					seen <- asked(req)
					return &http.Response{StatusCode: 204, Body: http.NoBody, Header: http.Header{}, Request: req}, nil
				}),
			})
			get(t, g.url, tt.header...)
			tt.want.Client, tt.want.Weight, tt.want.HasClass = "warehouse-sync", 2, true
			if got := within(t, seen, "call"); got != tt.want {
				t.Errorf("asked %+v, want %+v", got, tt.want)
			}
		})
	}
}
