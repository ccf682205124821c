package admission

import (
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"testing"
	"time"
	"unsafe"

	"github.com/flyballhq/flyball/budget"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

// BenchmarkWaiters shows what one send costs while so many calls wait, and what
// each of them takes: neither must grow with them. The calls are of 50 routes or of one, and the server
// answers soon or late: late answers make a route's own line and the account's
// hold calls in turn.
func BenchmarkWaiters(b *testing.B) {
	for _, routes := range []int{1, 50} {
		for _, latency := range []time.Duration{200 * time.Millisecond, 10 * time.Second} {
			for _, n := range []int{1, 10, 100, 1000, 10_000} {
				b.Run(fmt.Sprintf("routes=%d/latency=%s/waiters=%d", routes, latency, n), func(b *testing.B) {
					each := bytesEach(routes, n)
					d := newDrive(routes, latency)
					d.fill(n)
					before := d.sends
					for b.Loop() {
						d.step()
						d.fill(n)
					}
					b.ReportMetric(float64(b.Elapsed())/float64(d.sends-before), "ns/send")
					b.ReportMetric(each, "B/waiter")
				})
			}
		}
	}
}

// A drive moves a controller through time by hand, against a server that
// counts 700 a minute.
type drive struct {
	c       *Controller
	now     time.Time
	latency time.Duration
	routes  []limit.Route
	lines   [][]*waiter // by route, in order of arrival
	waiting int
	under   []flight // in order of their answers
	minute  time.Time
	used    int
	refused int
	sends   int
	woken   time.Time
	wakes   int // by the timer
	idle    int // of these, at an instant already served
}

type flight struct {
	w         *waiter
	sent, at  time.Time
	remaining int
}

func newDrive(routes int, latency time.Duration) *drive {
	provider := zendesk.New(0)
	c := New(Options{Provider: provider, Budget: budget.Options{Seed: 1}, MaxWaiting: 1 << 20})
	c.closed = true // no timer: serve is called by hand
	d := &drive{c: c, now: time.Date(2026, 3, 1, 12, 0, 7, 0, time.UTC), latency: latency, lines: make([][]*waiter, routes)}
	for i := range routes {
		req, _ := http.NewRequest("GET", "https://acme.zendesk.com/api/v2/users/1", nil)
		route := provider.Route(req)
		route.Object = 0
		route.Class += strconv.Itoa(i)
		d.routes = append(d.routes, route)
	}
	return d
}

// fill brings calls until n wait.
func (d *drive) fill(n int) {
	for d.waiting < n {
		d.join()
	}
}

// join brings one more call.
func (d *drive) join() {
	d.c.seq++
	i := int(d.c.seq) % len(d.routes)
	w := &waiter{call: &limit.Call{Route: d.routes[i], Arrived: d.now, Seq: d.c.seq}}
	v := d.c.account.Admit(d.now, &w.call.Route, budget.Ask{Crowded: d.c.queue.Len() > 0}, &w.grant)
	if v.OK {
		d.send(w)
		return
	}
	d.c.mu.Lock() // the timer that park sets may fire: it finds the controller closed
	d.c.closed = false
	refusal := d.c.park(d.now, w, v)
	d.c.closed = true
	d.c.timer.Stop()
	d.c.mu.Unlock()
	if refusal != nil {
		panic(refusal)
	}
	d.lines[i] = append(d.lines[i], w)
	d.waiting++
}

func (d *drive) send(w *waiter) {
	d.sends++
	if m := d.now.Truncate(time.Minute); m != d.minute {
		d.minute, d.used = m, 0
	}
	d.used++
	if d.used > 700 {
		d.refused++
	}
	d.under = append(d.under, flight{w, d.now, d.now.Add(d.latency), max(0, 700-d.used)})
}

// step goes on until at least one more call is sent.
func (d *drive) step() {
	for sent := d.sends; d.sends == sent; {
		next, waits := d.c.queue.Next()
		if len(d.under) > 0 && (!waits || !d.under[0].at.After(next)) {
			f := d.under[0]
			d.under = d.under[1:]
			d.now = f.at
			d.answer(f)
		} else {
			d.wakes++
			if !next.After(d.woken) {
				d.idle++
			}
			d.now, d.woken = next, next
			d.c.serve(d.now, nil)
		}
		for i := range d.lines {
			for len(d.lines[i]) > 0 && len(d.lines[i][0].ready) > 0 {
				d.send(d.lines[i][0])
				d.lines[i] = d.lines[i][1:]
				d.waiting--
			}
		}
	}
}

func (d *drive) answer(f flight) {
	reset := 60 - f.sent.Second()
	header := http.Header{
		"Date":                []string{f.sent.UTC().Format(http.TimeFormat)},
		"Ratelimit-Limit":     []string{"700"},
		"Ratelimit-Remaining": []string{strconv.Itoa(f.remaining)},
		"Ratelimit-Reset":     []string{strconv.Itoa(reset)},
	}
	answer := d.c.provider.Read(&f.w.call.Route, 200, header)
	d.c.account.Observe(d.now, f.sent, f.at, &f.w.grant, &answer, nil)
	d.c.serve(d.now, f.w.grant.Buckets)
}

// bytesEach is what each of n calls takes that wait behind a first one, without
// its own call, its request and its goroutine's stack. So few that the heap
// hardly shows them wait in many controllers at once.
func bytesEach(routes, n int) float64 {
	drives := make([]*drive, max(1, 1000/n))
	for i := range drives {
		drives[i] = newDrive(routes, time.Second)
		drives[i].fill(1)
	}
	before := heapInUse()
	for _, d := range drives {
		d.fill(n + 1)
	}
	after := heapInUse()
	runtime.KeepAlive(drives)
	return float64(after-before)/float64(n*len(drives)) - float64(unsafe.Sizeof(limit.Call{}))
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC() // what the first one found is swept now
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
