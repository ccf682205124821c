package flyball_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
)

// write makes one call with a JSON body and decodes its answer.
func write(ctx context.Context, client *http.Client, method, path, body string, header ...string) reply {
	req, err := http.NewRequestWithContext(ctx, method, "https://acme.zendesk.com"+path, strings.NewReader(body))
	if err != nil {
		return reply{err: err}
	}
	req.Header.Set("Authorization", "Bearer token")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	r := reply{status: resp.StatusCode, header: resp.Header, err: err}
	if err == nil && len(text) > 0 {
		r.err = json.Unmarshal(text, &r.value)
	}
	return r
}

// at finds a member of a decoded answer: at(v, "ticket", "subject").
func at(v any, names ...string) any {
	for _, name := range names {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

// merging is governed, with its transport for a look at the savings.
func merging(transport **flyball.Transport) way {
	return func(t *testing.T, base http.RoundTripper) http.RoundTripper {
		through := governedBy(flyball.Options{})(t, base)
		*transport = through.(*flyball.Transport)
		return through
	}
}

func TestAThousandUpdatesAreAtMostFortySends(t *testing.T) {
	const tickets = 1000
	check := func(t *testing.T, ctx func(context.Context) context.Context) (sends int, fault string) {
		synctest.Test(t, func(t *testing.T) {
			var transport *flyball.Transport
			a := newAccount(t, 3, simulator.Options{Limit: 700, Tickets: tickets, Latency: usual}, merging(&transport))
			start := time.Now()
			got := make([]reply, tickets+1)
			crowd(50, 20, tickets, func(i int) {
				got[i+1] = write(ctx(t.Context()), a.client, "PUT", fmt.Sprintf("/api/v2/tickets/%d.json", i+1), fmt.Sprintf(`{"ticket":{"subject":"new %d"}}`, i+1))
			})
			took := time.Since(start)
			l := a.Ledger()
			sends = l.Sends
			for id := 1; id <= tickets; id++ {
				subject := fmt.Sprintf("new %d", id)
				if r := got[id]; r.err != nil || r.status != 200 || at(r.value, "ticket", "id") != float64(id) || at(r.value, "ticket", "subject") != subject {
					fault = fmt.Sprintf("ticket %d: %d, %v, %v", id, r.status, r.err, r.value)
				}
			}
			if n := l.Changed["ticket update"]; n != tickets {
				fault = fmt.Sprintf("%d updates were done", n)
			}
			saved := transport.Snapshot().Saved
			if len(saved) > 0 && (saved[0].Cause != limit.Merged || saved[0].Sends != tickets-sends) {
				fault = fmt.Sprintf("saved %v with %d sends of %d", saved, sends, tickets)
			}
			t.Logf("%d sends in %s, %d refused, saved %v", sends, took, l.Refused(), saved)
		})
		return sends, fault
	}
	sends, fault := check(t, flyball.WithBatch)
	if sends > 40 || fault != "" {
		t.Errorf("%d sends, want at most 40; %s", sends, fault)
	}
	if sends, _ := check(t, func(ctx context.Context) context.Context { return ctx }); sends <= 40 {
		t.Errorf("without leave to merge it took %d sends too: the check cannot fail", sends)
	}
}
