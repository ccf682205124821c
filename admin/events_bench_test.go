package admin_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/admin"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
	"github.com/flyballhq/flyball/usage"
)

// BenchmarkReaders measures a call's p99 over an account that answers in 20 ms,
// at some 100 calls a second, more than twice what the largest plan allows, without readers and with 50 of which one is
// stuck, turn by turn. It reports the lower quarter of the
// turns: what else the machine does adds to some of them.
func BenchmarkReaders(b *testing.B) {
	var transport *flyball.Transport
	snapshot := func() limit.Snapshot { return transport.Snapshot() }
	history, err := usage.New(usage.Options{Snapshot: snapshot})
	if err != nil {
		b.Fatal(err)
	}
	events := admin.NewEvents(snapshot, history, "")
	sim := simulator.New(simulator.Options{Origin: "https://acme.zendesk.com", Limit: 1_000_000, Latency: simulator.Fixed(20 * time.Millisecond)})
	transport, err = flyball.New(flyball.Options{Account: "acme", Base: sim.RoundTripper(), OnEvent: event.All(history.Take, events.Take)})
	if err != nil {
		b.Fatal(err)
	}
	defer transport.Close()
	h, err := admin.New(admin.Options{Snapshot: snapshot, Usage: history, Events: events})
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	go history.Run(ctx)
	go events.Run(ctx)
	go admin.Serve(ctx, l, h)

	calls(transport, 200) // the limit is known, connections are made
	var alone, read []time.Duration
	for b.Loop() {
		for range 6 {
			alone = append(alone, calls(transport, 300))
			leave := readAs(b, l.Addr().String(), 50)
			read = append(read, calls(transport, 300))
			leave()
		}
	}
	slices.Sort(alone)
	slices.Sort(read)
	without, with := alone[len(alone)/4], read[len(read)/4]
	b.ReportMetric(float64(without.Microseconds())/1000, "p99-ms-alone")
	b.ReportMetric(float64(with.Microseconds())/1000, "p99-ms-read")
	b.ReportMetric(100*float64(with-without)/float64(without), "%-more")
}

// calls makes n calls, eight at once, and returns the p99.
func calls(transport *flyball.Transport, n int) time.Duration {
	took := make([]time.Duration, n)
	atOnce(2, n, func(i int) {
		req, _ := http.NewRequest(http.MethodGet, fmt.Sprintf("https://acme.zendesk.com/api/v2/users/%d.json", i), nil)
		began := time.Now()
		resp, err := transport.RoundTrip(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		took[i] = time.Since(began)
	})
	slices.Sort(took)
	return took[n*99/100]
}

// readAs has n readers, of which one takes nothing, until leave is called.
func readAs(b *testing.B, address string, n int) (leave func()) {
	b.Helper()
	var conns []net.Conn
	var reading sync.WaitGroup
	for i := range n {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		conns = append(conns, conn)
		fmt.Fprintf(conn, "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if i > 0 {
			reading.Go(func() { _, _ = io.Copy(io.Discard, conn) })
		} else if err := conn.(*net.TCPConn).SetReadBuffer(1 << 10); err != nil {
			b.Fatal(err)
		}
	}
	return func() {
		for _, conn := range conns {
			conn.Close()
		}
		reading.Wait()
	}
}
