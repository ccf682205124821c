package queue

import (
	"slices"
	"testing"
	"time"

	"github.com/flyballhq/flyball/limit"
)

func twoMinutes() time.Duration { return 2 * time.Minute }

func TestLanesGoInOrderOfUrgency(t *testing.T) {
	var q Queue[string]
	for seq, class := range []limit.Class{limit.Bulk, limit.Normal, limit.Interactive} {
		q.Push(key(0), start, start, Rank{Lane: LaneOf(class), Seq: uint64(seq)}, class.String())
	}
	var got []string
	for line := q.Line(key(0)); line.Len() > 0; {
		it, class := line.Next(start, twoMinutes)
		got = append(got, it.Value)
		if class.String() != it.Value {
			t.Errorf("a call of class %s is judged as %s", it.Value, class)
		}
		q.Served(it, start)
		q.Remove(it)
	}
	if want := []string{"interactive", "normal", "bulk"}; !slices.Equal(got, want) {
		t.Errorf("they go as %v, want %v", got, want)
	}
}

// A lane that has waited for long gets one send in twenty.
func TestAStarvedLaneGetsAShare(t *testing.T) {
	var q Queue[limit.Class]
	seq := 0
	push := func(class limit.Class) {
		seq++
		q.Push(key(0), start, start, Rank{Lane: LaneOf(class), Seq: uint64(seq)}, class)
	}
	for range 200 {
		push(limit.Bulk)
	}
	for range 50 {
		push(limit.Normal)
	}
	count := func(now time.Time, sends int) (bulk int) {
		for range sends {
			it, as := q.Line(key(0)).Next(now, twoMinutes)
			if it.Value == limit.Bulk {
				bulk++
				if as != limit.Normal {
					t.Errorf("a starved bulk call is judged as %s, want normal", as)
				}
			} else {
				push(limit.Normal)
			}
			q.Line(key(0)).Pass(it.Rank(), as)
			q.Served(it, now)
			q.Remove(it)
		}
		return bulk
	}
	if bulk := count(start.Add(time.Minute), 100); bulk != 0 {
		t.Errorf("%d of 100 sends were bulk before anybody starved", bulk)
	}
	if bulk := count(start.Add(3*time.Minute), 400); bulk < 19 || bulk > 21 {
		t.Errorf("%d of 400 sends were bulk while it starved, want one in twenty", bulk)
	}
}

// Each of two lanes that starve has its share, judged as those that pass it.
func TestEachStarvedLaneGetsAShare(t *testing.T) {
	var q Queue[limit.Class]
	for i := range 1000 {
		for _, class := range []limit.Class{limit.Interactive, limit.Normal, limit.Bulk} {
			q.Push(key(0), start, start, Rank{Lane: LaneOf(class), Seq: uint64(i)}, class)
		}
	}
	sent := map[limit.Class]int{}
	for i := range 800 {
		now := start.Add(3*time.Minute + time.Duration(i)*time.Second)
		it, as := q.Line(key(0)).Next(now, twoMinutes)
		if as != limit.Interactive {
			t.Fatalf("a call that is %s is judged as %s", it.Value, as)
		}
		q.Line(key(0)).Pass(it.Rank(), as)
		q.Served(it, now)
		q.Remove(it)
		sent[it.Value]++
	}
	if n, b := sent[limit.Normal], sent[limit.Bulk]; n < 38 || n > 42 || b < 38 || b > 42 {
		t.Errorf("of 800 sends %v, want one in twenty of each lane that starves", sent)
	}
}

// Sends that never stood in the line pass those who stand there too.
func TestALaneThatOthersPassFromOutsideStarves(t *testing.T) {
	var q Queue[limit.Class]
	for i := range 100 {
		q.Push(key(0), start, start, Rank{Lane: LaneOf(limit.Bulk), Seq: uint64(i)}, limit.Bulk)
	}
	line, turns := q.Line(key(0)), 0
	for i := range 400 {
		line.Pass(Rank{Lane: LaneOf(limit.Normal), Seq: uint64(i)}, limit.Normal)
		now := start.Add(3*time.Minute + time.Duration(i)*time.Second)
		if it, as := line.Next(now, twoMinutes); as == limit.Normal {
			q.Served(it, now)
			q.Remove(it)
			turns++
		}
	}
	if turns < 19 || turns > 22 {
		t.Errorf("%d turns while 400 passed, want one for nineteen", turns)
	}
	it, _ := line.Next(start.Add(time.Hour), twoMinutes)
	q.Served(it, start.Add(time.Hour)) // by rank: the lane starves no more
	for i := range 30 {
		line.Pass(Rank{Seq: uint64(i)}, limit.Interactive)
	}
	if _, as := line.Next(start.Add(time.Hour+time.Minute), twoMinutes); as != limit.Bulk {
		t.Errorf("judged as %s a minute after it had its due", as)
	}
}

// Those who give up before the lane's turn comes do not begin its wait anew.
func TestALaneWaitsOnWhenItsCallersGiveUp(t *testing.T) {
	var q Queue[limit.Class]
	seq := uint64(0)
	push := func(class limit.Class, now time.Time) *Item[limit.Class] {
		seq++
		return q.Push(key(0), now, now, Rank{Lane: LaneOf(class), Seq: seq}, class)
	}
	serve := func(now time.Time) limit.Class {
		it, as := q.Line(key(0)).Next(now, twoMinutes)
		q.Line(key(0)).Pass(it.Rank(), as)
		q.Served(it, now)
		q.Remove(it)
		return it.Value
	}
	for range 400 {
		push(limit.Normal, start)
	}
	var served []time.Duration
	for at := time.Duration(0); at < 10*time.Minute; at += 50 * time.Second {
		bulk := push(limit.Bulk, start.Add(at))
		for i := range 25 {
			now := at + time.Duration(i)*time.Second
			if serve(start.Add(now)) == limit.Bulk {
				served = append(served, now.Truncate(time.Minute))
			}
		}
		q.Remove(bulk) // after 50 s
	}
	if len(served) != 10 || served[0] != 2*time.Minute { // of 12, those after the first two minutes
		t.Errorf("of bulk calls that wait for 50 s each those of minutes %v were sent, want all but the first two minutes'", served)
	}
}

func TestClientsShareByWeight(t *testing.T) {
	type waiting struct {
		client string
		tag    float64
	}
	for _, tt := range []struct {
		name   string
		weight map[string]float64
		calls  map[string]int // waiting at first
		want   float64        // a's share of 300 sends
	}{
		{"one asks ten times as much", map[string]float64{}, map[string]int{"a": 1000, "b": 400}, 0.5},
		{"one weighs twice as much", map[string]float64{"a": 2}, map[string]int{"a": 1000, "b": 1000}, 2.0 / 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var fair Fair
			shares := map[string]*Share{"a": {}, "b": {}, "newcomer": {}}
			var line []waiting
			for client, n := range tt.calls {
				for range n {
					line = append(line, waiting{client, fair.Tag(shares[client], tt.weight[client])})
				}
			}
			slices.SortStableFunc(line, func(x, y waiting) int {
				if x.tag < y.tag {
					return -1
				} else if x.tag > y.tag {
					return 1
				}
				return 0
			})
			served := 0
			for _, w := range line[:300] {
				fair.Served(w.tag)
				if w.client == "a" {
					served++
				}
			}
			if share := float64(served) / 300; share < tt.want-0.02 || share > tt.want+0.02 {
				t.Errorf("a got %.2f, want %.2f", share, tt.want)
			}
			if tag := fair.Tag(shares["newcomer"], 1); tag > line[300].tag {
				t.Errorf("a newcomer's tag is %g, behind those that have had their share (%g)", tag, line[300].tag)
			}
		})
	}
}

func TestAClientWhoIsOwedNothingIsLikeANewOne(t *testing.T) {
	var fair Fair
	var share Share
	tag := fair.Tag(&share, 1)
	fair.Tag(&share, 1)
	fair.Served(tag)
	if fair.New(&share) {
		t.Error("a client with a call waiting is like a new one")
	}
	fair.Served(fair.Tag(&share, 1) + 1)
	if !fair.New(&share) {
		t.Error("a client whose turns are over is not like a new one")
	}
}
