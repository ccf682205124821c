package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/simulator"
)

// The same over loopback as through the library in virtual time: see
// TestAThousandReadsAreAtMostFifteenSends in the front door's tests.
func TestAThousandReadsThroughTheGatewayAreAtMostFifteenSends(t *testing.T) {
	const callers, inFlight, tickets = 50, 20, 1000
	sim := simulator.New(simulator.Options{Limit: 700, Tickets: tickets, Latency: simulator.Fixed(200 * time.Millisecond)})
	socket := httptest.NewServer(sim)
	t.Cleanup(socket.Close)
	account := parse(t, socket.URL)
	base := gateway.Base(account).(*http.Transport)
	t.Cleanup(base.CloseIdleConnections)
	transport, err := flyball.New(flyball.Options{Account: socket.URL, Base: base})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { transport.Close() })
	g := start(t, gateway.Options{Upstream: account, Transport: transport, MaxWait: time.Minute})

	got := make([]any, tickets+1)
	var group sync.WaitGroup
	for caller := range callers {
		c := client(t)
		c.Transport.(*http.Transport).MaxIdleConnsPerHost = inFlight
		c.Timeout = time.Minute
		for n := range inFlight {
			group.Go(func() {
				id := caller*inFlight + n + 1
				got[id] = value(t, c, request(t, http.MethodGet, fmt.Sprintf("%s/api/v2/tickets/%d.json", g.url, id), nil,
					"Authorization", "Bearer token", "Flyball-Batch", "allow", "X-Request-Id", fmt.Sprint(id)))
			})
		}
	}
	group.Wait()
	sends := sim.Ledger().Sends
	if sends > 15 {
		t.Errorf("%d sends, want at most 15", sends)
	}
	t.Logf("%d sends", sends)
	alone := client(t)
	for id := 1; id <= tickets; id += 17 {
		group.Go(func() {
			want := value(t, alone, request(t, http.MethodGet, fmt.Sprintf("%s/api/v2/tickets/%d.json", g.url, id), nil, "Authorization", "Bearer token"))
			if want == nil || !reflect.DeepEqual(got[id], want) {
				t.Errorf("ticket %d: %v, want what its own call answers: %v", id, got[id], want)
			}
		})
	}
	group.Wait()
	for id := 1; id <= tickets; id++ {
		object, _ := got[id].(map[string]any)
		ticket, _ := object["ticket"].(map[string]any)
		if len(object) != 1 || ticket["id"] != float64(id) {
			t.Fatalf("ticket %d: %v", id, got[id])
		}
	}
}

// value makes a call and returns the JSON value of its answer, nil without a
// 200.
func value(t *testing.T, c *http.Client, req *http.Request) (v any) {
	resp, err := c.Do(req)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%s: %s %.200s, %v", req.URL, resp.Status, text, err)
		return nil
	}
	return v
}
