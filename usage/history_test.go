package usage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

func newHistory(t testing.TB, o Options) *History {
	t.Helper()
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// running keeps a history going until the test ends.
func running(t *testing.T, o Options) *History {
	t.Helper()
	h := newHistory(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { h.Run(ctx) })
	t.Cleanup(func() { cancel(); run.Wait() })
	return h
}

func callOf(client string) *limit.Call {
	return &limit.Call{Client: client, Route: limit.Route{Class: "GET /api/v2/tickets/{id}", Service: "support"}}
}

// ended tells of one call that cost one send.
func ended(h *History, call *limit.Call) {
	now := time.Now()
	h.Take(event.Event{Kind: event.Admitted, At: now, Call: call})
	h.Take(event.Event{Kind: event.Sent, At: now, Call: call, Status: 200})
	h.Take(event.Event{Kind: event.Done, At: now, Call: call, Status: 200})
}

// sumOf adds up one name over a window.
func sumOf(t *testing.T, h *History, window, step time.Duration, kind Kind, name string) (sum Figures, r Range) {
	t.Helper()
	r, err := h.Range(time.Now(), window, step)
	if err != nil {
		t.Fatal(err)
	}
	err = h.Each(r, func(i int, k Kind, n string, f *Figures) {
		if i < 0 || i >= r.Steps {
			t.Errorf("step %d of %d", i, r.Steps)
		}
		if k == kind && n == name {
			sum.Add(f)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum, r
}

func TestEachResolutionRemembersAsLongAsItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1234 * time.Second)
		h := running(t, Options{})
		for range 26 { // one call every hour
			ended(h, callOf("crm"))
			time.Sleep(time.Hour)
		}
		ended(h, callOf("crm"))
		time.Sleep(time.Second)
		for _, tt := range []struct {
			window, step time.Duration
			want         int64
		}{
			{10 * time.Minute, time.Second, 1},
			{time.Second, time.Second, 0},
			{6 * time.Hour, time.Minute, 6}, // the seventh ends the window
			{24 * time.Hour, time.Minute, 24},
			{24 * time.Hour, time.Hour, 24},
			{30 * 24 * time.Hour, time.Hour, 27},
			{30 * 24 * time.Hour, 24 * time.Hour, 27},
		} {
			got, r := sumOf(t, h, tt.window, tt.step, Client, "crm")
			if n := got.Of(Calls); n != tt.want && n != tt.want+1 || got.Of(Sends) != n {
				t.Errorf("%s by %s: %d calls, %d sends, want %d of each", tt.window, tt.step, n, got.Of(Sends), tt.want)
			}
			if r.From.Unix()%int64(tt.step.Seconds()) != 0 || !r.To().After(time.Now()) {
				t.Errorf("%s by %s: from %s to %s", tt.window, tt.step, r.From, r.To())
			}
		}
		for _, tt := range []struct{ window, step time.Duration }{
			{time.Hour, time.Second},
			{48 * time.Hour, 10 * time.Minute},
			{time.Hour, 90 * time.Millisecond},
			{time.Second, time.Minute},
			{31 * 24 * time.Hour, time.Hour},
			{-1, 1},
			{0, 0},
			{1 << 62, time.Hour},
		} {
			if _, err := h.Range(time.Now(), tt.window, tt.step); err == nil {
				t.Errorf("%s by %s is no error", tt.window, tt.step)
			}
		}
	})
}

// What is counted by hand and what the history holds are equal, whatever the
// clock does and however many tell it at once.
func TestNothingIsLostOrCountedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := running(t, Options{})
		const workers, each = 16, 300
		var group sync.WaitGroup
		for w := range workers {
			rng := rand.New(rand.NewPCG(uint64(w), 7))
			group.Go(func() {
				for range each {
					ended(h, callOf(fmt.Sprintf("client-%d", rng.IntN(5))))
					time.Sleep(time.Duration(rng.IntN(2000)) * time.Millisecond)
				}
			})
		}
		group.Wait()
		for _, step := range []time.Duration{time.Second, time.Minute, time.Hour} {
			window := min(24*time.Hour, 600*step)
			if got, _ := sumOf(t, h, window, step, Total, ""); got.Of(Calls) != workers*each || got.Of(Sends) != workers*each {
				t.Errorf("by %s: %d calls, %d sends, want %d", step, got.Of(Calls), got.Of(Sends), workers*each)
			}
		}
	})
}

// The bound holds with names that nobody could count, and the latest is kept.
func TestTheHistoryIsBounded(t *testing.T) {
	const most = 256 << 10
	h := newHistory(t, Options{MaxBytes: most})
	before := heap()
	began := time.Now().Unix()
	for minute := range int64(200) {
		rows := make(map[row]*Figures)
		for i := range 700 {
			f := &Figures{}
			f.n[Calls], f.n[Sends] = int64(i), int64(i)
			rows[row{Client, fmt.Sprintf("client-%d-%d", minute, i)}] = f
			rows[row{Route, fmt.Sprintf("GET /%d/%d", minute, i)}] = f
		}
		h.count(began+60*minute, rows)
		if got := h.Bytes(); got > most {
			t.Fatalf("after %d minutes the closed steps take %d bytes, want at most %d", minute, got, most)
		}
	}
	if last := h.rings[1].steps; len(last) == 0 || last[len(last)-1].start < began+60*75 {
		t.Error("the latest minutes are not kept")
	}
	names := 0
	for _, n := range h.names {
		if n.steps <= 0 {
			t.Fatalf("%q is kept for no step", n.name)
		}
		names++
	}
	grown := heap() - before
	t.Logf("%d bytes of %d by our count, the heap grew by %d, %d names", h.Bytes(), most, grown, names)
	if grown > 4*most+(3<<20) {
		t.Errorf("the heap grew by %d bytes, want about %d and what is under way", grown, most)
	}
	runtime.KeepAlive(h)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A step keeps the busiest names and adds up the rest.
func TestTheBusiestNamesAreKept(t *testing.T) {
	o := newOpen(0)
	for i := range 200 {
		o.at(row{Client, fmt.Sprintf("c%03d", i)}).n[Calls] = int64(i)
	}
	o.fold()
	if o.n[Client] != 64 || o.rows[row{Client, "c199"}] == nil || o.rows[row{Client, "c100"}] != nil {
		t.Errorf("%d names are left", o.n[Client])
	}
	sum := int64(0)
	for _, f := range o.rows {
		sum += f.n[Calls]
	}
	if sum != 199*200/2 {
		t.Errorf("the sum is %d, want %d", sum, 199*200/2)
	}
}

// Buckets beyond the bound are added up, not forgotten one for the next.
func TestBucketsBeyondTheBoundAreAddedUp(t *testing.T) {
	s := newSecond(0)
	for i := range combos + 10 {
		s.blame(limit.Key{Service: "support", ID: fmt.Sprint("rule ", i)}, Refusals)
	}
	if n := s.buckets[Other].Of(Refusals); n != 10 {
		t.Errorf("%d refusals of the buckets beyond the bound are left, want 10", n)
	}
}

func TestHoldsAreRightWithinSevenPercent(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var f Figures
		all := make([]time.Duration, 1+rng.IntN(300))
		for i := range all {
			if rng.IntN(3) > 0 {
				all[i] = time.Duration(rng.ExpFloat64() * float64(20*time.Second)).Truncate(time.Millisecond)
			}
			f.n[Calls]++
			f.hold(all[i])
		}
		slices.Sort(all)
		for _, q := range []float64{0.5, 0.99} {
			want := all[min(int(q*float64(len(all))), len(all)-1)]
			got := f.Hold(q)
			if off := (got - want).Abs(); off > want*7/100+time.Millisecond {
				t.Fatalf("p%g of %d holds is %s, want %s", 100*q, len(all), got, want)
			}
		}
	}
	for _, d := range []time.Duration{0, -1, 1, time.Millisecond, 37 * time.Hour, 1 << 62} {
		if p := place(d); p < 0 || p >= len(holds{}) {
			t.Errorf("%s has no place: %d", d, p)
		}
	}
}

// Minutes near the limit are counted by what all used of it, others too.
func TestMinutesNearTheLimitAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := limit.Key{Service: "support", ID: "account"}
		b := limit.Bucket{Key: key, Limit: 100, Window: time.Minute}
		var mu sync.Mutex
		h := running(t, Options{Snapshot: func() limit.Snapshot {
			mu.Lock()
			defer mu.Unlock()
			b.Left = b.Limit - b.Ours - b.Others
			return limit.Snapshot{At: time.Now(), Buckets: []limit.Bucket{b}}
		}})
		set := func(ours, others int) {
			mu.Lock()
			defer mu.Unlock()
			b.Resets, b.Ours, b.Others = time.Now().Truncate(time.Minute).Add(time.Minute), ours, others
		}
		time.Sleep(30 * time.Second)
		for _, use := range [][2]int{{79, 0}, {50, 30}, {80, 9}, {0, 90}, {99, 0}, {60, 40}, {10, 0}, {95, 20}} {
			set(use[0]/2, use[1]/2)
			time.Sleep(29*time.Second + 990*time.Millisecond)
			set(use[0], use[1]) // 10 ms before the minute's end
			time.Sleep(10 * time.Millisecond)
			set(0, 0)
			time.Sleep(30 * time.Second)
		}
		time.Sleep(time.Minute)
		f, _ := sumOf(t, h, time.Hour, time.Minute, Bucket, "support/account")
		if f.Of(At80) != 2 || f.Of(At90) != 2 || f.Of(At100) != 2 {
			t.Errorf("at 80: %d, at 90: %d, at 100: %d of %d, want 2 of each", f.Of(At80), f.Of(At90), f.Of(At100), f.Of(Windows))
		}
		if f.Of(Ours) != 473 || f.Of(Others) != 189 {
			t.Errorf("ours %d, others %d, want 473 and 189", f.Of(Ours), f.Of(Others))
		}
	})
}

// A clock that is set back loses nothing.
func TestAClockSetBackLosesNothing(t *testing.T) {
	h := newHistory(t, Options{})
	now := time.Now()
	for _, ago := range []time.Duration{0, time.Hour, -time.Second, 26 * time.Hour} {
		h.Take(event.Event{Kind: event.Done, At: now.Add(-ago), Call: callOf("crm"), Status: 200})
		h.mu.Lock()
		h.gather(now.Unix() + 10)
		h.mu.Unlock()
	}
	got := int64(0)
	for _, r := range h.rings[:1] {
		for _, s := range r.steps {
			if err := s.each(func(k row, f *Figures) { got += f.n[Calls] * btoi(k.kind == Total) }); err != nil {
				t.Fatal(err)
			}
		}
		got += r.now.rows[row{}].n[Calls]
	}
	if got != 4 {
		t.Errorf("%d calls are counted, want 4", got)
	}
}

func btoi(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func BenchmarkTake(b *testing.B) {
	h := newHistory(b, Options{})
	call := callOf("crm")
	for _, kind := range []event.Kind{event.Admitted, event.Sent, event.Done} {
		b.Run(fmt.Sprint(kind), func(b *testing.B) {
			b.ReportAllocs()
			e := event.Event{Kind: kind, At: time.Now(), Call: call, Status: 200}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					h.Take(e)
				}
			})
		})
	}
}

func BenchmarkHold(b *testing.B) {
	h := newHistory(b, Options{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		call := callOf("crm")
		key := limit.Key{Service: "support", ID: "account"}
		held := event.Event{Kind: event.Held, At: time.Now(), Call: call, Bucket: key, Reason: limit.Spent}
		let := event.Event{Kind: event.Admitted, At: time.Now(), Call: call, Bucket: key}
		for pb.Next() {
			h.Take(held)
			h.Take(let)
		}
	})
}

// BenchmarkEach reads a whole day of minutes with as many names as a step
// keeps: the slowest thing that anybody may ask.
func BenchmarkEach(b *testing.B) {
	h := newHistory(b, Options{})
	now := time.Now()
	for minute := range int64(24 * 60) {
		rows := map[row]*Figures{{}: {}}
		for i := range 64 {
			f := &Figures{}
			f.n[Calls], f.n[Sends] = int64(i+1), int64(i+1)
			f.hold(time.Duration(i) * time.Second)
			rows[row{Client, fmt.Sprintf("client-%d", i)}] = f
			rows[row{Route, fmt.Sprintf("GET /api/v2/things-%d/{id}", i)}] = f
		}
		h.count(now.Unix()-24*3600+60*minute, rows)
	}
	r, err := h.Range(now, 24*time.Hour, time.Minute)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(h.Bytes())/(1<<20), "MiB")
	for b.Loop() {
		if err := h.Each(r, func(int, Kind, string, *Figures) {}); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	one := &Figures{}
	one.n[Calls] = 3
	one.hold(time.Second)
	f.Add(pack(nil, one))
	f.Add([]byte{255, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var got Figures
		var held holds
		if _, err := unpack(b, &got, &held); err == nil {
			got.Hold(0.99)
		}
	})
}

// A send that never left costs nothing: it is no send, and was not lost.
func TestWhatNeverLeftIsNoSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := running(t, Options{})
		call := callOf("crm")
		h.Take(event.Event{Kind: event.Lost, At: time.Now(), Call: call, Err: context.Canceled, Unsent: true})
		h.Take(event.Event{Kind: event.Lost, At: time.Now(), Call: call, Err: context.Canceled})
		time.Sleep(2 * time.Second)
		if got, _ := sumOf(t, h, time.Minute, time.Second, Total, ""); got.Of(Sends) != 1 || got.Of(Lost) != 1 {
			t.Errorf("%d sends, %d lost, want the one that left", got.Of(Sends), got.Of(Lost))
		}
	})
}

// A call that ended because its time was up inside flyball has failed; only a
// caller that no longer waited has left.
func TestOnlyACallerThatLeavesHasLeft(t *testing.T) {
	for want, e := range map[Count]event.Event{
		Left:   {Err: context.DeadlineExceeded, Left: true},
		Failed: {Err: context.DeadlineExceeded},
		GaveUp: {Err: &limit.WaitError{Err: context.DeadlineExceeded}, Left: true},
	} {
		if got := EndOf(e); got != want {
			t.Errorf("%v, left %t: %d, want %d", e.Err, e.Left, got, want)
		}
	}
}
