package gateway

import (
	"net/http"
	"strings"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// A Decision is what was configured for a call; see [Options].Decide. Its zero
// value is a normal call that never waits.
type Decision struct {
	// Client is what its caller is called, whatever it calls itself; "" leaves
	// it the name that it gives itself or that its credential does.
	Client string
	// Weight is the client's turns beside other clients'; 0 is 1.
	Weight float64
	// Class is what the call is unless its Flyball-Class header says
	// otherwise, with HasClass; without, nothing was said.
	Class    limit.Class
	HasClass bool
	// Ceiling is the most urgent class that the header may ask for.
	Ceiling limit.Class
	// MaxWait bounds the call's holds and retries together; 0 never waits. The
	// caller's own "Prefer: wait" can only shorten it.
	MaxWait time.Duration
	// Batch allows the call to be merged with others, as does its own header
	// "Flyball-Batch: allow".
	Batch bool
}

// sameForAll is the decision of a gateway that was told nothing about clients
// and routes.
func sameForAll(maxWait time.Duration) func(*http.Request) Decision {
	d := Decision{Ceiling: limit.Interactive, MaxWait: maxWait}
	return func(*http.Request) Decision { return d }
}

// read reads what r asks for, and holds it to what was decided for it.
func (g *Gateway) read(r *http.Request) Ask {
	d := g.opts.Decide(r)
	ask := Ask{Client: g.clients.name(caller(r, d)), Weight: d.Weight, MaxWait: d.MaxWait}
	ask.Class, ask.HasClass = classOf(r.Header, d)
	ask.Batch = d.Batch || strings.EqualFold(strings.TrimSpace(r.Header.Get(batchHeader)), "allow")
	if wait, ok := preferredWait(r.Header[preferHeader]); ok {
		ask.MaxWait, ask.Waits = min(wait, ask.MaxWait), true
	}
	return ask
}

// caller is who calls: the client that was recognised, else what it says of
// itself.
func caller(r *http.Request, d Decision) (name string, configured bool) {
	if d.Client != "" {
		return d.Client, true
	}
	return identify(r), false
}

// classOf is the class that a caller asks for, at most as urgent as the
// ceiling; else the one that was decided. Words that it does not know say
// nothing.
func classOf(h http.Header, d Decision) (limit.Class, bool) {
	class, said := askedClass(h)
	if !said {
		class, said = d.Class, d.HasClass
	}
	if !said {
		class = limit.Normal
	}
	if class.Urgency() > d.Ceiling.Urgency() {
		return d.Ceiling, true
	}
	return class, said
}
