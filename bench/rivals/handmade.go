package rivals

import (
	"context"
	"net/http"

	"golang.org/x/time/rate"
)

// interactiveShare is the mean of our own interactive calls, as a share of the
// limit.
const interactiveShare = 60.0 / 700

// handMade is what a careful programmer can put together from the parts above,
// told all that there is to know: golang.org/x/time/rate over bulk alone, at what
// the others and our interactive calls leave on the mean; interactive calls pass
// at once; and everybody stops while the last answer said that nothing remains.
func handMade() policy { return byHand("hand-made: x/time/rate on bulk, headers, told", 0) }

// handKept keeps besides, of what the last answer said remains, what the others
// and interactive calls will ask for on the mean until the reset.
func handKept() policy { return byHand("hand-made, keeping the others' mean, told", 1) }

func byHand(name string, kept float64) policy {
	return policy{name: name, told: true, dial: plain(func(t told, base http.RoundTripper) http.RoundTripper {
		t.others += interactiveShare
		seen := &header{remaining: t.limit}
		direct := &trust{base: base, seen: seen}
		paced := &turns{
			trust:   trust{base: base, seen: seen, keepASecond: kept * float64(t.limit) * t.others / t.window.Seconds()},
			limiter: rate.NewLimiter(rate.Limit(t.perSecond()), 1),
			turn:    make(chan struct{}, 1),
		}
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			if req.Context().Value(kindKey{}) == interactive {
				return direct.RoundTrip(req)
			}
			return paced.RoundTrip(req)
		})
	}), label: func(ctx context.Context, k kind, _ string) context.Context {
		return context.WithValue(ctx, kindKey{}, k)
	}}
}

type kindKey struct{}

// turns takes bulk one by one through the limiter and the header's gate, so that
// the gate's opening is no herd.
type turns struct {
	trust
	limiter *rate.Limiter
	turn    chan struct{}
}

func (x *turns) RoundTrip(req *http.Request) (*http.Response, error) {
	x.turn <- struct{}{}
	err := x.limiter.Wait(req.Context())
	x.hold()
	<-x.turn
	if err != nil {
		return nil, err
	}
	return x.send(req)
}
