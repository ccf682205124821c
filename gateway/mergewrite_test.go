package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/simulator"
)

func TestSingleUpdatesThroughTheGatewayBecomeOneJob(t *testing.T) {
	const tickets = 21
	sim := simulator.New(simulator.Options{
		Limit: 700, Latency: simulator.Fixed(100 * time.Millisecond), JobLag: func(int) time.Duration { return 300 * time.Millisecond },
	})
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
	var group sync.WaitGroup
	c := client(t)
	for id := 1; id <= tickets; id++ {
		group.Go(func() {
			v := value(t, c, request(t, http.MethodPut, fmt.Sprintf("%s/api/v2/tickets/%d.json", g.url, id),
				strings.NewReader(fmt.Sprintf(`{"ticket":{"subject":"new %d"}}`, id)),
				"Authorization", "Bearer token", "Content-Type", "application/json", "Flyball-Batch", "allow"))
			object, _ := v.(map[string]any)
			ticket, _ := object["ticket"].(map[string]any)
			if ticket["id"] != float64(id) || ticket["subject"] != fmt.Sprintf("new %d", id) {
				t.Errorf("ticket %d: %v", id, v)
			}
		})
	}
	group.Wait()
	if l := sim.Ledger(); l.Sends > 8 || l.Changed["ticket update"] != tickets {
		t.Errorf("%d sends, %v; want one or two alone, a job, its polls and a read of them all", l.Sends, l.Changed)
	}
}

func TestAMergedWriteOfWhichNobodyKnowsSaysSo(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		proxy  string
	}{
		{errors.New("the answer names no job"), http.StatusBadGateway, "http_response_incomplete"},
		{fmt.Errorf("no end: %w", context.DeadlineExceeded), http.StatusGatewayTimeout, "http_response_timeout"},
	} {
		uncertain := roundTrip(func(req *http.Request) (*http.Response, error) {
			return nil, &flyball.UncertainError{Method: "POST", Path: "/api/v2/tickets", Job: "V3-1", Err: c.err}
		})
		g := start(t, gateway.Options{Upstream: parse(t, "https://acme.zendesk.com"), Transport: uncertain})
		resp, text := get(t, g.url+"/api/v2/tickets")
		var body struct{ Description string }
		if err := json.Unmarshal([]byte(text), &body); err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != c.status || !strings.Contains(resp.Header.Get("Proxy-Status"), "error="+c.proxy) ||
			!strings.Contains(body.Description, "job V3-1") || !strings.Contains(body.Description, "may have been carried out") {
			t.Errorf("%v: %d %q %s", c.err, resp.StatusCode, resp.Header.Get("Proxy-Status"), text)
		}
	}
}
