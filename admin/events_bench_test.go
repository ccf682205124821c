//go:build unix

package admin_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/admin"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
	"github.com/flyballhq/flyball/usage"
)

const (
	// turn is how many calls are made before the next side has its turn: it
	// takes some 1.5 s, in which a stuck reader is not yet cut off.
	turn = 150
	// tooMuch is what the twin adds to each call: 5 % of what it takes.
	tooMuch = time.Millisecond
)

// BenchmarkReaders compares a call's p99 without readers and with 50 of which
// one is stuck, over an account that answers in 20 ms, at some 100 calls a
// second, more than twice what the largest plan allows. Turns alternate within
// one run; the ratio of the two p99s comes with the range in which 95 of 100
// runs like this one would have it, which the machine's noise makes wide. So
// that it is known what the ratio can show, a third side, the twin, adds 5 % to
// each call without readers.
//
// What the stream can do to a call is measured besides, with readers: how long
// a call's goroutine is in Take, over all events of the call, and the CPU time of
// the process, which includes the 49 readers themselves.
func BenchmarkReaders(b *testing.B) {
	d := newBusyDesk(b)
	d.calls(200) // the limit is known, connections are made
	sides := []*side{{name: "alone"}, {name: "read", readers: 50}, {name: "twin", more: tooMuch}}
	for round := 0; b.Loop(); round++ {
		for i := range sides {
			d.turn(b, sides[(round+i)%len(sides)])
		}
	}
	alone, read, twin := sides[0], sides[1], sides[2]
	b.ReportMetric(1e3*p99(alone.rounds).Seconds(), "p99-ms-alone")
	for _, s := range []*side{read, twin} {
		low, high := spread(s.rounds, alone.rounds)
		b.ReportMetric(ratio(s.rounds, alone.rounds), s.name+"-ratio")
		b.ReportMetric(low, s.name+"-ratio-low")
		b.ReportMetric(high, s.name+"-ratio-high")
	}
	calls := float64(turn * len(read.rounds))
	b.ReportMetric(1e6*alone.cpu.Seconds()/calls, "cpu-µs-alone")
	b.ReportMetric(1e6*read.cpu.Seconds()/calls, "cpu-µs-read")
	slices.Sort(read.told)
	b.ReportMetric(float64(len(read.told))/calls, "events/call")
	b.ReportMetric(1e6*at(read.told, 0.5).Seconds(), "take-µs-p50")
	b.ReportMetric(1e6*at(read.told, 0.99).Seconds(), "take-µs-p99")
	b.ReportMetric(1e6*at(read.told, 1).Seconds(), "take-µs-max")
	b.ReportMetric(0, "ns/op") // a round: says nothing
}

// A side is what is compared.
type side struct {
	name    string
	readers int
	more    time.Duration
	rounds  [][]time.Duration // what calls took, by turn
	told    []time.Duration   // what each Take took
	cpu     time.Duration
}

// A busyDesk is an account with its admin address.
type busyDesk struct {
	transport *flyball.Transport
	address   string
	thin      *thinListener

	mu   sync.Mutex
	more time.Duration
	told []time.Duration
}

func newBusyDesk(b *testing.B) *busyDesk {
	b.Helper()
	d := &busyDesk{}
	snapshot := func() limit.Snapshot { return d.transport.Snapshot() }
	history, err := usage.New(usage.Options{Snapshot: snapshot})
	if err != nil {
		b.Fatal(err)
	}
	events := admin.NewEvents(snapshot, history, "")
	sim := simulator.New(simulator.Options{Origin: "https://acme.zendesk.com", Limit: 1_000_000, Latency: simulator.Fixed(20 * time.Millisecond)})
	d.transport, err = flyball.New(flyball.Options{Account: "acme", Base: sim.RoundTripper(), OnEvent: event.All(history.Take, d.timed(events.Take))})
	if err != nil {
		b.Fatal(err)
	}
	h, err := admin.New(admin.Options{Snapshot: snapshot, Usage: history, Events: events})
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	d.address, d.thin = l.Addr().String(), &thinListener{Listener: l, done: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { history.Run(ctx) })
	running.Go(func() { events.Run(ctx) })
	running.Go(func() { _ = admin.Serve(ctx, d.thin, h) })
	b.Cleanup(func() { cancel(); running.Wait(); d.transport.Close() })
	return d
}

// timed measures how long a call's goroutine is in take.
func (d *busyDesk) timed(take event.Sink) event.Sink {
	return func(e event.Event) {
		began := time.Now()
		take(e)
		took := time.Since(began)
		d.mu.Lock()
		d.told = append(d.told, took)
		more := d.more
		d.mu.Unlock()
		if e.Kind == event.Sent && more > 0 {
			<-time.After(more)
		}
	}
}

// turn makes a side's next calls.
func (d *busyDesk) turn(b *testing.B, s *side) {
	leave := d.readAs(b, s.readers)
	d.mu.Lock()
	d.more, d.told = s.more, d.told[:0]
	d.mu.Unlock()
	began := cpuTime()
	s.rounds = append(s.rounds, d.calls(turn))
	s.cpu += cpuTime() - began
	d.mu.Lock()
	s.told = append(s.told, d.told...)
	d.mu.Unlock()
	leave()
}

// calls makes n calls, two at once, and returns what they took.
func (d *busyDesk) calls(n int) []time.Duration {
	took := make([]time.Duration, n)
	atOnce(2, n, func(i int) {
		req, _ := http.NewRequest(http.MethodGet, fmt.Sprintf("https://acme.zendesk.com/api/v2/users/%d.json", i), nil)
		began := time.Now()
		resp, err := d.transport.RoundTrip(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		took[i] = time.Since(began)
	})
	return took
}

// readAs has n readers, of which one takes nothing, until leave is called. It
// returns when all others have got their first snapshot.
func (d *busyDesk) readAs(b *testing.B, n int) (leave func()) {
	b.Helper()
	var conns []net.Conn
	var began, reading sync.WaitGroup
	var got atomic.Int64
	for i := range n {
		d.thin.next.Store(i == 0)
		conn, err := net.Dial("tcp", d.address)
		if err != nil {
			b.Fatal(err)
		}
		conns = append(conns, conn)
		fmt.Fprintf(conn, "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if i == 0 { // its connection is accepted before the next one's
			if err := conn.(*net.TCPConn).SetReadBuffer(1 << 10); err != nil {
				b.Fatal(err)
			}
			<-d.thin.done
			continue
		}
		began.Add(1)
		reading.Go(func() {
			first, _ := conn.Read(make([]byte, 4<<10))
			began.Done()
			more, _ := io.Copy(io.Discard, conn)
			got.Add(int64(first) + more)
		})
	}
	began.Wait()
	return func() {
		for _, conn := range conns {
			conn.Close()
		}
		reading.Wait()
		if each := got.Load() / max(1, int64(n-1)); n > 0 && each < 32<<10 { // the buffers of its connection hold less than half of that
			b.Errorf("each reader got %d bytes, too little for one that takes none to be stuck", each)
		}
	}
}

// A thinListener gives some connections a small buffer, which is full at once.
type thinListener struct {
	net.Listener
	next atomic.Bool
	done chan struct{} // told when it has done so
}

func (l *thinListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil && l.next.Swap(false) {
		err = conn.(*net.TCPConn).SetWriteBuffer(4 << 10)
		l.done <- struct{}{}
	}
	return conn, err
}

func cpuTime() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		panic(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// p99 is that of all rounds together.
func p99(rounds [][]time.Duration) time.Duration {
	all := slices.Concat(rounds...)
	slices.Sort(all)
	return at(all, 0.99)
}

// at is a quantile of what is sorted.
func at(all []time.Duration, q float64) time.Duration {
	return all[min(len(all)-1, int(q*float64(len(all))))]
}

func ratio(of, to [][]time.Duration) float64 { return p99(of).Seconds() / p99(to).Seconds() }

// spread is where the ratio lies in 95 of 100 runs made of the same rounds,
// drawn anew (bootstrap: https://doi.org/10.1214/aos/1176344552).
func spread(of, to [][]time.Duration) (low, high float64) {
	draw := rand.New(rand.NewPCG(1, 2))
	ratios := make([]float64, 1000)
	for i := range ratios {
		var x, y [][]time.Duration
		for range of {
			n := draw.IntN(len(of))
			x, y = append(x, of[n]), append(y, to[n])
		}
		ratios[i] = ratio(x, y)
	}
	slices.Sort(ratios)
	return ratios[25], ratios[974]
}
