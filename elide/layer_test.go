package elide_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/elide"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
	"github.com/flyballhq/flyball/zendesk"
)

const within = 10 * time.Minute

// A desk is a simulated account below a layer, and what the layer says it
// saved.
type desk struct {
	http.RoundTripper
	sim   *simulator.Simulator
	saved int
}

type layer func(next http.RoundTripper) http.RoundTripper

func ours(d *desk) layer {
	return elide.New(elide.Options{Within: within}, elide.Seams{
		Provider: zendesk.New(zendesk.UnknownPlan),
		Standing: func(*limit.Route) limit.Standing {
			return limit.Standing{Limit: 700, Left: 321, Reset: 10 * time.Second}
		},
		Sink: func(e event.Event) {
			if e.Kind == event.Saved && e.Cause == limit.Elided {
				d.saved++
			}
		},
	})
}

func newDesk(over func(*desk) layer) *desk {
	d := &desk{sim: simulator.New(simulator.Options{Origin: "https://acme.zendesk.com", Latency: simulator.Fixed(100 * time.Millisecond), NoUserWriteSecond: true})}
	d.RoundTripper = over(d)(slowly{d.sim.RoundTripper()})
	return d
}

// slowly brings the answers to one user agent a second later than they were
// given.
type slowly struct{ next http.RoundTripper }

func (s slowly) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := s.next.RoundTrip(req)
	if req.Header.Get("User-Agent") == "slow" {
		time.Sleep(time.Second)
	}
	return resp, err
}

// An answer is what a call came to.
type answer struct {
	status int
	text   string
	header http.Header
	sent   bool // it reached the account
}

// do makes one call; header holds names and values in turn.
func (d *desk) do(ctx context.Context, method, path, body string, header ...string) answer {
	req, err := http.NewRequestWithContext(ctx, method, "https://acme.zendesk.com"+path, strings.NewReader(body))
	if err != nil {
		return answer{text: err.Error()}
	}
	if body == "" {
		req.Body, req.ContentLength = http.NoBody, 0
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Authorization", "Bearer one")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	call := &limit.Call{Route: zendesk.New(zendesk.UnknownPlan).Route(req)}
	before := d.sim.Ledger().Sends
	resp, err := d.RoundTrip(req.WithContext(limit.WithCall(ctx, call)))
	if err != nil {
		return answer{text: err.Error()}
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, string(text), resp.Header, d.sim.Ledger().Sends > before}
}

const ticket = "/api/v2/tickets/1.json"

// set returns the body of a write of a ticket's fields.
func set(fields string) string { return `{"ticket":{` + fields + `}}` }

// now returns the ticket's fields as the account has them.
func (d *desk) now(t *testing.T) map[string]any {
	t.Helper()
	got := d.do(t.Context(), "GET", ticket, "")
	var outer struct{ Ticket map[string]any }
	if err := json.Unmarshal([]byte(got.text), &outer); err != nil {
		t.Fatalf("%v in %s", err, got.text)
	}
	return outer.Ticket
}

func bubble(t *testing.T, f func(t *testing.T)) { synctest.Test(t, f) }

func TestAWriteThatChangesNothingIsNotSent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDesk(ours)
		d.do(t.Context(), "PUT", ticket, set(`"priority":"high","subject":"Printer"`))
		seen := d.do(t.Context(), "GET", ticket, "")
		time.Sleep(3 * time.Second)
		got := d.do(t.Context(), "PUT", ticket, set(`"priority":"high","subject":"Printer","id":1`))
		if got.sent || got.status != 200 || d.saved != 1 {
			t.Fatalf("sent: %t, status %d, %d saved; want it answered without a send", got.sent, got.status, d.saved)
		}
		if got.text != seen.text {
			t.Errorf("answered %s, want the object as a read shows it: %s", got.text, seen.text)
		}
		if h := got.header; h.Get("Cache-Status") != "flyball; hit; detail=elided" || h.Get("Age") != "3" || h.Get("X-Rate-Limit-Remaining") != "321" ||
			h.Get("Content-Length") != fmt.Sprint(len(got.text)) || !strings.HasPrefix(h.Get("Content-Type"), "application/json") {
			t.Errorf("answered with the header %v", h)
		}
		if changed := d.do(t.Context(), "PUT", ticket, set(`"priority":"low"`)); !changed.sent || d.now(t)["priority"] != "low" {
			t.Error("a write that changes something was not sent")
		}
	})
}

// What a client says no-store of is not remembered, whether it read or wrote.
func TestNothingIsRememberedOfACallThatSaysNoStore(t *testing.T) {
	for method, body := range map[string]string{"GET": "", "PUT": set(`"priority":"high"`)} {
		t.Run(method, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d := newDesk(ours)
				d.do(t.Context(), "PUT", ticket, set(`"priority":"high"`), "Cache-Control", "no-store")
				d.do(t.Context(), method, ticket, body, "Cache-Control", "max-age=0, No-Store")
				if got := d.do(t.Context(), "PUT", ticket, set(`"priority":"high"`)); !got.sent {
					t.Error("a write was answered out of what it showed")
				}
			})
		})
	}
}

func TestItsOwnAnswerTeachesToo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDesk(ours)
		first := d.do(t.Context(), "PUT", ticket, set(`"priority":"high"`))
		again := d.do(t.Context(), "PUT", ticket, set(`"priority":"high"`))
		if !first.sent || again.sent {
			t.Errorf("the first was sent: %t, the same again: %t", first.sent, again.sent)
		}
	})
}

// sideEffects are bodies that repeat what the ticket has, and something more.
func sideEffects() map[string]string {
	const same = `"priority":"high"`
	return map[string]string{
		"a comment":               set(same + `,"comment":{"body":"hello"}`),
		"tags":                    set(same + `,"tags":[]`),
		"additional tags":         set(same + `,"additional_tags":["a"]`),
		"tags removed":            set(same + `,"remove_tags":["a"]`),
		"safe update":             set(same + `,"safe_update":true,"updated_stamp":"2020-01-01T00:00:00Z"`),
		"addresses":               set(same + `,"email_ccs":[]`),
		"a requester made":        set(same + `,"requester":{"name":"x","email":"x@example.com"}`),
		"macros":                  set(same + `,"macro_ids":[1]`),
		"metadata":                set(same + `,"metadata":{}`),
		"a rating":                set(same + `,"satisfaction_rating":{"score":"good"}`),
		"a field unknown":         set(same + `,"surprise":null`),
		"a field in another case": set(same + `,"Comment":{"body":"hello"}`),
		"a name given twice":      `{"ticket":{"priority":"high"},"ticket":{"comment":{"body":"hello"}}}`,
		"a field given twice":     set(`"priority":"low",` + same),
		"something beside":        `{"ticket":{"priority":"high"},"comment":{"body":"hello"}}`,
		"no field at all":         set(``),
		"an escaped comment":      set(same + `,"\u0063omment":{"body":"hello"}`),
		"another ticket's id":     set(same + `,"id":2`),
		"something after it":      set(same) + set(`"comment":{"body":"hello"}`),
		"half a pair":             set(same + `,"subject":"\ud800"`),
		"null for what has one":   set(`"priority":null`),
		"another custom value":    set(same + `,"custom_fields":[{"id":1,"value":"nobody has this"}]`),
		"no object":               `{"ticket":[]}`,
		"no JSON":                 `{"ticket":{"priority":"high"`,
	}
}

// naive elides what has the fields of the ticket that it was last seen with,
// and sees nothing of other fields, other clients and time.
type naive struct {
	next http.RoundTripper
	mu   sync.Mutex
	seen map[string]map[string]any
}

func (n *naive) RoundTrip(req *http.Request) (*http.Response, error) {
	key := req.Header.Get("Authorization") + req.URL.Path
	if req.Method == http.MethodPut {
		body, _ := io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(body))
		var in struct{ Ticket map[string]any }
		_ = json.Unmarshal(body, &in)
		n.mu.Lock()
		same := n.seen[key] != nil
		for name, value := range in.Ticket {
			if now, known := n.seen[key][name]; known && fmt.Sprint(now) != fmt.Sprint(value) {
				same = false
			}
		}
		n.mu.Unlock()
		if same {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}, nil
		}
	}
	resp, err := n.next.RoundTrip(req)
	if err == nil && resp.StatusCode == 200 && strings.HasPrefix(req.URL.Path, "/api/v2/tickets/1") {
		text, _ := io.ReadAll(resp.Body)
		resp.Body = io.NopCloser(bytes.NewReader(text))
		var out struct{ Ticket map[string]any }
		_ = json.Unmarshal(text, &out)
		n.mu.Lock()
		n.seen[key] = out.Ticket
		n.mu.Unlock()
	}
	return resp, err
}

func twin(*desk) layer {
	return func(next http.RoundTripper) http.RoundTripper {
		return &naive{next: next, seen: map[string]map[string]any{}}
	}
}

func TestWhatHasASideEffectIsAlwaysSent(t *testing.T) {
	check := func(t *testing.T, over func(*desk) layer) (faults []string) {
		for name, body := range sideEffects() {
			d := newDesk(over)
			d.do(t.Context(), "PUT", ticket, set(`"priority":"high"`))
			d.do(t.Context(), "GET", ticket, "")
			if got := d.do(t.Context(), "PUT", ticket, body); !got.sent {
				faults = append(faults, name)
			}
		}
		return faults
	}
	bubble(t, func(t *testing.T) {
		for _, fault := range check(t, ours) {
			t.Errorf("not sent, though it has %s", fault)
		}
		if faults := strings.Join(check(t, twin), ","); !strings.Contains(faults, "a comment") {
			t.Errorf("the check is blind: of the naive way it says %q", faults)
		}
	})
}

// between are what may happen between a read and the same write, each of which
// makes what was read of no worth.
func between() map[string]func(t *testing.T, d *desk) {
	other := []string{"Authorization", "Bearer two"}
	write := func(method, path, body string, header ...string) func(*testing.T, *desk) {
		return func(t *testing.T, d *desk) { d.do(t.Context(), method, path, body, append(header, other...)...) }
	}
	return map[string]func(*testing.T, *desk){
		"another client's write":                write("PUT", ticket, set(`"priority":"low"`)),
		"another client's write without .json":  write("PUT", "/api/v2/tickets/1", set(`"priority":"low"`)),
		"a write in a user's name":              write("PUT", ticket, set(`"priority":"low"`), "X-On-Behalf-Of", "agent@example.com"),
		"a tag put on it":                       write("PUT", "/api/v2/tickets/1/tags.json", `{"tags":["vip"]}`),
		"a job for many":                        write("PUT", "/api/v2/tickets/update_many.json?ids=1", set(`"priority":"low"`)),
		"a deletion":                            write("DELETE", ticket, ""),
		"a merge with another":                  write("POST", "/api/v2/tickets/2/merge.json", `{"ids":[1]}`),
		"a change of what agents are":           write("PUT", "/api/v2/users/3.json", `{"user":{"role":"end-user"}}`),
		"a change of a trigger":                 write("PUT", "/api/v2/triggers/1.json", `{}`),
		"a write that nobody knows":             write("POST", "/api/v2/some/thing.json", `{}`),
		"a write whose caller has left":         left,
		"the time":                              func(*testing.T, *desk) { time.Sleep(within + time.Second) },
		"a write that Zendesk did not like":     write("PUT", ticket, set(`"priority":"none such"`)),
		"a write of its own with a side effect": func(t *testing.T, d *desk) { d.do(t.Context(), "PUT", ticket, set(`"status":"closed"`)) },
	}
}

func left(t *testing.T, d *desk) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	d.do(ctx, "PUT", ticket, set(`"priority":"low"`), "Authorization", "Bearer two")
}

func TestAnyOtherWriteIsHeardOf(t *testing.T) {
	check := func(t *testing.T, over func(*desk) layer) (faults []string) {
		for name, happen := range between() {
			d := newDesk(over)
			d.do(t.Context(), "PUT", ticket, set(`"priority":"high"`))
			d.do(t.Context(), "GET", ticket, "")
			happen(t, d)
			if got := d.do(t.Context(), "PUT", ticket, set(`"priority":"high"`)); !got.sent {
				faults = append(faults, name)
			}
		}
		return faults
	}
	bubble(t, func(t *testing.T) {
		for _, fault := range check(t, ours) {
			t.Errorf("not sent after %s", fault)
		}
		if faults := strings.Join(check(t, twin), ","); !strings.Contains(faults, "another client's write") {
			t.Errorf("the check is blind: of the naive way it says %q", faults)
		}
	})
}

func TestWhileAnotherWriteIsUnderWayNothingIsElidedOrLearned(t *testing.T) {
	check := func(t *testing.T, over func(*desk) layer) (faults string) {
		d := newDesk(over)
		d.do(t.Context(), "PUT", ticket, set(`"priority":"high"`))
		done := make(chan answer)
		go func() {
			done <- d.do(t.Context(), "PUT", ticket, set(`"priority":"low"`), "Authorization", "Bearer two")
		}()
		time.Sleep(20 * time.Millisecond)
		if before := d.saved; !d.do(t.Context(), "PUT", ticket, set(`"priority":"high"`)).sent || d.saved != before {
			faults += "elided while another write was under way; "
		}
		<-done
		// A read that overlaps a write may show what was before it.
		go func() { done <- d.do(t.Context(), "GET", ticket, "") }()
		time.Sleep(20 * time.Millisecond)
		d.do(t.Context(), "PUT", ticket, set(`"priority":"urgent"`), "Authorization", "Bearer two")
		if got := <-done; !d.do(t.Context(), "PUT", ticket, set(`"priority":"high"`)).sent {
			faults += "learned from a read that a write has overtaken: " + got.text
		}
		// A write whose answer comes late may show what was before another.
		d.do(t.Context(), "PUT", ticket, set(`"priority":"normal"`), "Authorization", "Bearer two") // so that it is sent itself
		go func() {
			done <- d.do(t.Context(), "PUT", ticket, set(`"priority":"high"`), "User-Agent", "slow")
		}()
		time.Sleep(200 * time.Millisecond)
		d.do(t.Context(), "PUT", ticket, set(`"priority":"urgent"`), "Authorization", "Bearer two")
		if got := <-done; got.header.Get("Cache-Status") != "" || !strings.Contains(got.text, `"high"`) {
			faults += "the late write was not sent first, and shows nothing: " + got.text
		}
		if !d.do(t.Context(), "PUT", ticket, set(`"priority":"high"`)).sent {
			faults += "learned from a write that another has overtaken; "
		}
		return faults
	}
	bubble(t, func(t *testing.T) {
		if faults := check(t, ours); faults != "" {
			t.Error(faults)
		}
		if check(t, twin) == "" {
			t.Error("the check finds nothing on the naive way")
		}
	})
}

func TestViewsAreKeptApart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, header := range [][]string{
			{"Authorization", "Bearer two"},
			{"X-On-Behalf-Of", "agent@example.com"},
			{"Cookie", "a=b"},
			{"Accept-Language", "de"},
			{"Cache-Control", "no-cache"},
			{"X-Http-Method-Override", "DELETE"},
			{"If-Match", `"1"`},
			{"Content-Encoding", "gzip"},
			{"Content-Type", "text/plain"},
			{"Accept", "text/html"},
		} {
			d := newDesk(ours)
			d.do(t.Context(), "PUT", ticket, set(`"priority":"high"`))
			if got := d.do(t.Context(), "PUT", ticket, set(`"priority":"high"`), header...); !got.sent {
				t.Errorf("with %q it was answered with what another asked for", header)
			}
		}
		d := newDesk(ours)
		d.do(t.Context(), "PUT", ticket, set(`"priority":"high"`))
		if got := d.do(t.Context(), "PUT", ticket+"?include=x", set(`"priority":"high"`)); !got.sent {
			t.Error("with a query it was answered all the same")
		}
		if got := d.do(t.Context(), "PUT", "/api/v2/tickets/1", set(`"priority":"high"`), "User-Agent", "x", "Traceparent", "y"); !got.sent {
			t.Log("a trace and another program's name make no difference") // after the query's write it must be learned again
		}
		if got := d.do(t.Context(), "PUT", ticket, set(`"priority":"high"`), "User-Agent", "z"); got.sent {
			t.Error("another User-Agent was sent")
		}
	})
}

func TestWhatIsNotSteadyIsNotElided(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, state := range []string{`"status":"closed"`, `"type":"incident","problem_id":2`} {
			d := newDesk(ours)
			if state != `"status":"closed"` {
				d.do(t.Context(), "PUT", "/api/v2/tickets/2.json", set(`"type":"problem"`))
			}
			if got := d.do(t.Context(), "PUT", ticket, set(state)); got.status != 200 {
				t.Fatalf("%s: %d %s", state, got.status, got.text)
			}
			priority, _ := json.Marshal(d.now(t)["priority"])
			if got := d.do(t.Context(), "PUT", ticket, set(`"priority":`+string(priority))); !got.sent {
				t.Errorf("a ticket with %s was not written to", state)
			}
		}
	})
}

func TestUsersAndOrganizationsToo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for path, body := range map[string]string{
			"/api/v2/users/%d.json":         `{"user":{"notes":"vip","external_id":"e-1"}}`,
			"/api/v2/organizations/%d.json": `{"organization":{"notes":"vip","external_id":"e-1"}}`,
		} {
			d := newDesk(ours)
			list := d.do(t.Context(), "GET", strings.Replace(path, "/%d", "", 1), "")
			var all map[string]json.RawMessage
			var items []struct{ ID uint64 }
			_ = json.Unmarshal([]byte(list.text), &all)
			for _, name := range []string{"users", "organizations"} {
				_ = json.Unmarshal(all[name], &items)
			}
			if len(items) == 0 {
				t.Fatalf("%s: %s", path, list.text)
			}
			at := fmt.Sprintf(path, items[len(items)-1].ID)
			if first := d.do(t.Context(), "PUT", at, body); first.status != 200 {
				t.Fatalf("%s: %d %s", at, first.status, first.text)
			}
			if again := d.do(t.Context(), "PUT", at, body); again.sent || again.status != 200 {
				t.Errorf("%s: the same again was sent", at)
			}
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	provider := zendesk.New(zendesk.UnknownPlan)
	for want, o := range map[string]elide.Options{"Within": {Within: -1}, "24h": {Within: 25 * time.Hour}, "Memory": {Memory: -1}} {
		if err := o.Check(provider); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", o, err, want)
		}
	}
	if err := (elide.Options{Within: time.Hour}).Check(provider); err != nil {
		t.Error(err)
	}
}
