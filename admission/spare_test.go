package admission

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
)

// A call with another answer at hand that is refused leaves no trace: no event,
// no send, nothing charged to the account, nothing counted against its client.
// A refusal of any other call leaves some.
func TestARefusedSpareCallNeverWas(t *testing.T) {
	for _, class := range []limit.Class{limit.Interactive, limit.Normal, limit.Bulk} {
		for _, spare := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/spare=%t", class, spare), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var gaveUp int
					r := newRig(simulator.Options{Seed: 5, Limit: 60}, nil, func(e event.Event) {
						if e.Kind == event.GaveUp {
							gaveUp++
						}
					})
					defer r.Close()
					if call, status, err := r.get(t.Context(), "/api/v2/groups.json"); status != 200 {
						t.Fatal(call, status, err)
					}
					call := r.ask(t, class, spare)
					r.pauseAll(t, &call.Route)
					before := r.trace(call)
					_, err := r.layers.RoundTrip(r.request(t, call))
					if _, held := errors.AsType[*limit.WaitError](err); !held {
						t.Fatalf("it was not refused: %v", err)
					}
					left := r.trace(call) != before || gaveUp > 0
					if left == spare {
						t.Errorf("%d events; %s, was %s; want a trace of it: %t", gaveUp, r.trace(call), before, !spare)
					}
					if sends := r.sim.Ledger().Sends; sends != 1 || call.Sends != 0 {
						t.Errorf("%d sends, want the first call's alone", sends)
					}
					if spare {
						time.Sleep(2 * time.Hour)
						call.NoWait, call.Spare = false, false
						if resp, err := r.layers.RoundTrip(r.request(t, call)); err != nil || resp.StatusCode != 200 {
							t.Errorf("made as a call like any other, it ends in %v", err)
						}
					}
				})
			})
		}
	}
}

func (r *rig) ask(t *testing.T, class limit.Class, spare bool) *limit.Call {
	t.Helper()
	call := &limit.Call{Arrived: time.Now(), Class: class, Labelled: true, NoWait: true, Spare: spare}
	call.Route = r.routes.Route(r.request(t, call))
	return call
}

func (r *rig) request(t *testing.T, call *limit.Call) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(limit.WithCall(t.Context(), call), http.MethodGet, "https://acme.zendesk.com/api/v2/groups.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer token")
	return req
}

// trace is all that a call of the same client could find changed.
func (r *rig) trace(call *limit.Call) string {
	snap := r.Snapshot()
	r.mu.Lock()
	defer r.mu.Unlock()
	text := fmt.Sprintf("%d waiting, light %+v, client %+v", snap.Waiting, r.light, *r.clients[clientOf(call)])
	for _, b := range snap.Buckets {
		text += fmt.Sprintf(", %s: %d left, %d ours, %d in flight, %d refusals", b.Key, b.Left, b.Ours, b.InFlight, b.Refusals)
	}
	return text
}
