package queue

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/flyballhq/flyball/limit"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// place is the rank of a normal call that arrived as number seq.
func place(seq int) Rank { return Rank{Lane: LaneOf(limit.Normal), Seq: uint64(seq)} }

func key(i int) limit.Key { return limit.Key{ID: string(rune('a' + i))} }

func TestALineIsFirstComeFirstServed(t *testing.T) {
	var q Queue[uint64]
	for _, tag := range rand.Perm(100) {
		q.Push(key(0), start, start, place(tag), uint64(tag))
	}
	for want := range uint64(100) {
		it := q.Due(start).Head()
		if it.Value != want {
			t.Fatalf("%d goes, want %d", it.Value, want)
		}
		q.Remove(it)
	}
	if _, waits := q.Next(); waits || q.Len() != 0 || q.Line(key(0)) != nil {
		t.Error("an empty queue keeps something")
	}
}

func TestALineIsDueWhenItsHeadIs(t *testing.T) {
	var q Queue[int]
	q.Push(key(0), start, start.Add(2*time.Second), place(5), 5)
	q.Push(key(0), start, start.Add(time.Second), place(9), 9)
	if next, _ := q.Next(); !next.Equal(start.Add(2 * time.Second)) {
		t.Errorf("due in %s after a later call came", next.Sub(start))
	}
	q.Push(key(0), start, start.Add(time.Second), place(1), 1)
	if next, _ := q.Next(); !next.Equal(start.Add(time.Second)) {
		t.Errorf("due in %s although its new head is due in 1s", next.Sub(start))
	}
}

func TestRemovingTwiceDoesNothing(t *testing.T) {
	var q Queue[int]
	it := q.Push(key(0), start, start, place(1), 1)
	q.Push(key(0), start, start, place(2), 2)
	q.Remove(it)
	q.Remove(it)
	if q.Len() != 1 || q.Line(key(0)).Len() != 1 {
		t.Errorf("%d wait, want one", q.Len())
	}
}

// A queue and a plain list of what it should hold agree after anything.
func TestAnyOrderOfUseKeepsEveryItem(t *testing.T) {
	for seed := range uint64(50) {
		draw := rand.New(rand.NewPCG(seed, 0))
		var q Queue[int]
		held := map[*Item[int]]int{} // to the line it stands in
		for n := range 500 {
			at := start.Add(time.Duration(draw.IntN(100)) * time.Second)
			switch {
			case draw.IntN(3) > 0 || len(held) == 0:
				in := draw.IntN(6)
				held[q.Push(key(in), start, at, Rank{Lane: draw.IntN(lanes), Tag: float64(draw.IntN(10)), Seq: uint64(draw.IntN(1000))}, n)] = in
			default:
				it := anyOf(draw, held)
				if draw.IntN(2) == 0 {
					q.Remove(it)
					delete(held, it)
				} else {
					held[it] = draw.IntN(6)
					q.Move(it, key(held[it]), start, at)
				}
			}
		}
		found := 0
		for i := range 6 {
			line := q.Line(key(i))
			if line == nil {
				continue
			}
			for it := range line.All {
				found++
				if held[it] != i || it.Rank().Before(line.Head().Rank()) {
					t.Fatalf("seed %d: an item is lost or out of order", seed)
				}
			}
		}
		if found != len(held) || q.Len() != len(held) {
			t.Fatalf("seed %d: %d found, %d counted, want %d", seed, found, q.Len(), len(held))
		}
		var dues []time.Time
		for q.Len() > 0 {
			next, _ := q.Next()
			line := q.Due(next)
			dues = append(dues, next)
			q.Delay(line, next.Add(time.Hour))
			for line.Len() > 0 {
				q.Remove(line.Head())
			}
		}
		if !slices.IsSortedFunc(dues, time.Time.Compare) {
			t.Errorf("seed %d: lines fall due in the order %v", seed, dues)
		}
	}
}

func anyOf(draw *rand.Rand, held map[*Item[int]]int) *Item[int] {
	var oldest []*Item[int]
	for it := range held {
		oldest = append(oldest, it)
	}
	slices.SortFunc(oldest, func(a, b *Item[int]) int { return a.Value - b.Value })
	return oldest[draw.IntN(len(oldest))]
}
