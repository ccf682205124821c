package watch

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// plant makes a watch that knows so many quiet minutes, with a spike at each of
// some of them.
func plant(minutes int, spikes ...int) *Watch {
	w := New(Options{}, noon)
	at := map[int]bool{}
	for _, s := range spikes {
		at[s] = true
	}
	for i := range minutes {
		start := noon.Add(time.Duration(i) * time.Minute)
		used := 100 + i%7
		if at[i] {
			used = 500
		}
		asked := start.Add(58 * time.Second)
		w.Sent(asked)
		w.Read(Reading{Asked: asked, Answered: asked.Add(100 * time.Millisecond), Limit: 700, Left: 700 - used, Reset: 2 * time.Second, HasReset: true})
	}
	w.Advance(noon.Add(time.Duration(minutes) * time.Minute))
	return w
}

// Among many spikes at random times three are sooner or later equally far
// apart: that is no repeat.
func TestSpikesAtRandomTimesDoNotRepeat(t *testing.T) {
	for seed := range uint64(5) {
		random := rand.New(rand.NewPCG(seed, 1))
		var spikes []int
		for at := 30; at < 1200; at += 5 + random.IntN(50) {
			spikes = append(spikes, at)
		}
		w := plant(1200, spikes...)
		if len(w.s.Spikes) != len(spikes) {
			t.Fatalf("seed %d: %d spikes, want %d", seed, len(w.s.Spikes), len(spikes))
		}
		if r := w.Repeats(); len(r) != 0 {
			t.Errorf("seed %d: %d spikes at random times, and every %s %d of %d came, by chance %.3f", seed, len(spikes), r[0].Period, r[0].Hits, r[0].Due, r[0].Chance)
		}
	}
}

func TestARepeatTakesThreeSpikes(t *testing.T) {
	if r := plant(180, 40, 100).Repeats(); len(r) != 0 {
		t.Errorf("two spikes repeat: %+v", r)
	}
	r := plant(240, 40, 100, 160).Repeats()
	if len(r) != 1 || r[0].Every != 60 || r[0].Hits != 3 || r[0].Due != 4 || r[0].Chance > mostChance {
		t.Errorf("three of four hourly spikes: %+v", r)
	}
	if r := plant(600, 40, 91, 173, 300, 417).Repeats(); len(r) != 0 {
		t.Errorf("spikes at odd times repeat: %+v", r)
	}
	if r := plant(3*1440+10, 600, 600+1440, 600+2880).Repeats(); len(r) != 1 || r[0].Every != 1440 {
		t.Errorf("daily spikes: %+v", r)
	}
}

func TestARefusalStopsAllCallsUntilItsTime(t *testing.T) {
	w := plant(20)
	now := noon.Add(20*time.Minute + 10*time.Second)
	w.Refused(now, now.Add(95*time.Second), "slow down")
	if at, _ := w.Next(now); at.Before(now.Add(95*time.Second)) || w.Left(now.Add(94*time.Second)) != 0 {
		t.Errorf("the next call is at %s, within the wait", at)
	}
	w.Refused(now, now, "") // no time named: until the window ends
	if w.Left(now.Add(96*time.Second)) == 0 {
		t.Error("nothing may be sent after the wait either")
	}
}

func TestNoSevenCallsInAnyMinute(t *testing.T) {
	w := New(Options{}, noon)
	now := noon
	var sent []time.Time
	for now.Before(noon.Add(2 * time.Hour)) {
		w.looks.wanted = true // as often as it likes
		at, ask := w.Next(now)
		now = later(at, now.Add(100*time.Millisecond))
		w.Asking(now, ask)
		for range 3 {
			if w.Left(now) > 0 {
				w.Sent(now)
				sent = append(sent, now)
			}
		}
		w.looks.cost = 3
	}
	if len(sent) < 300 {
		t.Errorf("%d calls in two hours: the check has too little to look at", len(sent))
	}
	for i := range len(sent) - MostCalls {
		if d := sent[i+MostCalls].Sub(sent[i]); d < time.Minute {
			t.Fatalf("seven calls within %s", d)
		}
	}
}

func TestTheAccountsClockIsLearned(t *testing.T) {
	for _, ahead := range []time.Duration{0, 700 * time.Millisecond, -13 * time.Second, 29 * time.Second} {
		p := newPhase(time.Minute)
		for i := range 40 {
			asked := noon.Add(time.Duration(i) * 17300 * time.Millisecond)
			at := asked.Add(80 * time.Millisecond).Add(ahead) // read, by the account's clock
			left := at.Truncate(time.Minute).Add(time.Minute).Sub(at)
			p.hear(Reading{Asked: asked, Answered: asked.Add(200 * time.Millisecond), Reset: time.Duration(math.Ceil(left.Seconds())) * time.Second})
		}
		if off := p.ahead - ahead; off > 200*time.Millisecond || off < -200*time.Millisecond || p.unsure > 300*time.Millisecond {
			t.Errorf("a clock %s ahead is taken for %s ahead, give or take %s", ahead, p.ahead, p.unsure)
		}
	}
}

func TestAStateOfAnotherAccountIsRefused(t *testing.T) {
	s := State{Account: "acme.zendesk.com", Window: time.Minute}
	if err := s.Check("acme.zendesk.com", time.Minute); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]State{
		"account": {Account: "other", Window: time.Minute},
		"order":   {Account: "acme.zendesk.com", Window: time.Minute, Minutes: []Minute{{Index: 2}, {Index: 1}}},
		"spans":   {Account: "acme.zendesk.com", Window: time.Minute, Spikes: []Spike{{First: 1, Last: 1}}},
		"age":     {Account: "acme.zendesk.com", Window: time.Minute, Spans: []Span{{1, 1 << 60}}},
		"spikes":  {Account: "acme.zendesk.com", Window: time.Minute, Spikes: []Spike{{First: 2, Last: 1}}},
		"token":   {Account: "acme.zendesk.com", Window: time.Minute, Tokens: map[string]*Token{"a": nil}},
	} {
		if bad.Check("acme.zendesk.com", time.Minute) == nil {
			t.Errorf("a state with a bad %s is taken", name)
		}
	}
}

// A minute is a spike by what was read of it, not by what is guessed of the
// rest that nobody saw.
func TestASpikeIsJudgedByWhatWasRead(t *testing.T) {
	w := plant(60)
	start := noon.Add(60 * time.Minute)
	asked := start.Add(20 * time.Second)
	w.Sent(asked)
	w.Read(Reading{Asked: asked, Answered: asked.Add(100 * time.Millisecond), Limit: 700, Left: 550, Reset: 40 * time.Second, HasReset: true})
	w.Advance(start.Add(62 * time.Second))
	last := w.s.Minutes[len(w.s.Minutes)-1]
	if last.Low != 150 || last.Use < 300 || last.High != 700 {
		t.Fatalf("%+v, want 150 read and more than 300 guessed", last)
	}
	if last.Spike || len(w.s.Spikes) != 0 {
		t.Errorf("%+v is a spike by what is guessed", last)
	}
}
