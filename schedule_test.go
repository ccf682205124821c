package flyball_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

var (
	oneSchedule = flag.Int64("schedule", -1, "the one seed of TestAnySchedule to run")
	soak        = flag.Duration("soak", 0, "run new schedules for this long; negative until stopped")
)

// schedules is how many seeds a plain run takes. It is all a matter of time:
// they take about half a minute of one core under the race detector.
const schedules = 250

// Whatever the account, its faults, the settings and the callers do, the
// referee's invariants hold at every step.
func TestAnySchedule(t *testing.T) {
	from, n := int64(0), int64(schedules)
	switch {
	case *oneSchedule >= 0:
		from, n = *oneSchedule, 1
	case testing.Short():
		n /= 10
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // a seed takes the same course again, as far as one can have it
	var all tally
	for seed := from; seed < from+n; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { all.add(play(t, uint64(seed))) })
	}
	t.Log(&all)
	if n < schedules || t.Failed() {
		return
	}
	if fault := all.idleReferee(); fault != "" {
		t.Error(fault)
	}
}

// play runs one seed and reports what the referee found.
func play(t *testing.T, seed uint64) *referee {
	t.Helper()
	again := fmt.Sprintf("again: go test -run '^TestAnySchedule$' -schedule %d .", seed)
	defer hurry(again)()
	var r *referee
	s := newSchedule(seed)
	synctest.Test(t, func(t *testing.T) { r = s.run(t, twin{}) })
	for _, f := range r.found {
		t.Error(f)
	}
	switch {
	case len(r.found) > 0:
		t.Errorf("%+v\n%+v", s.server, s.options)
		t.Error(again)
	case *oneSchedule >= 0:
		t.Logf("%+v\n%+v\n%s", s.server, s.options, r)
	}
	if r.course.Len() > 0 {
		t.Log("\n" + r.course.String())
	}
	return r
}

// hurry ends the run, saying how to repeat it, when a schedule neither ends
// nor fails, and says so when one panics. What it returns is to be deferred.
func hurry(again string) (done func()) {
	clock := time.AfterFunc(2*time.Minute, func() { panic("a schedule does not end; " + again) })
	return func() {
		clock.Stop()
		if p := recover(); p != nil {
			fmt.Fprintln(os.Stderr, again)
			panic(p)
		}
	}
}

// TestSoak is behind make soak: new seeds until one fails.
func TestSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("runs by make soak")
	}
	start, said := time.Now(), time.Now()
	seed := start.UnixNano() & (1<<40 - 1)
	fmt.Printf("schedules from %d on\n", seed)
	var all tally
	for ; !t.Failed() && (*soak < 0 || time.Since(start) < *soak); seed++ {
		all.add(play(t, uint64(seed)))
		if time.Since(said) > 30*time.Second {
			said = time.Now()
			fmt.Printf("%s: %s\n", time.Since(start).Round(time.Second), &all)
		}
	}
	fmt.Printf("%s: %s\n", time.Since(start).Round(time.Second), &all)
}
