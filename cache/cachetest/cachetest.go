package cachetest

import (
	"bytes"
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/flyballhq/flyball/cache"
)

// Open returns an empty store bounded to size bytes. It closes the store when
// the test ends, and must bear that the test has closed it before.
type Open func(t *testing.T, size int64) cache.Store

// roomy is more than any test here puts.
const roomy = 64 << 20

// Run runs every test against stores that open gives.
func Run(t *testing.T, open Open) {
	tests := map[string]func(*testing.T, Open){
		"WhatIsPutIsGotWhole":           whatIsPutIsGotWhole,
		"AnUnknownKeyIsAMissNoError":    anUnknownKeyIsAMissNoError,
		"PuttingAgainReplaces":          puttingAgainReplaces,
		"KeysThatLookAlikeAreKeptApart": keysThatLookAlikeAreKeptApart,
		"DropForgetsByTag":              dropForgetsByTag,
		"AReplacedEntryLeavesItsTags":   aReplacedEntryLeavesItsTags,
		"WhatIsPastItsTimeIsNotKept":    whatIsPastItsTimeIsNotKept,
		"BytesAreBounded":               bytesAreBounded,
		"WhatIsTooLargeIsDeclined":      whatIsTooLargeIsDeclined,
		"NothingOutlivesADrop":          nothingOutlivesADrop,
		"EachReadGivesItsOwnBody":       eachReadGivesItsOwnBody,
		"AfterCloseEverythingFails":     afterCloseEverythingFails,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

// Key is the key of page n, which names nothing but itself.
func Key(n int) string { return fmt.Sprintf("credential\nGET https://acme/api/v2/tickets/%d.json", n) }

// Entry is an answer of about size bytes that says which key it is for.
func Entry(key string, size int, tags ...string) *cache.Entry {
	now := time.Now()
	return &cache.Entry{
		Key: key, Tags: tags, Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}, "Etag": {`W/"1"`}},
		Body: BodyOf(key, size), Stored: now, Until: now.Add(time.Hour),
	}
}

// BodyOf is the body of the entry for key.
func BodyOf(key string, size int) []byte {
	return bytes.Repeat([]byte(key+"\n"), 1+size/(len(key)+1))
}

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func got(t *testing.T, s cache.Store, key string) *cache.Entry {
	t.Helper()
	e, err := s.Get(key)
	must(t, "get "+key, err)
	if e != nil && e.Key != key {
		t.Fatalf("asked for %q, got the entry of %q", key, e.Key)
	}
	return e
}

func whatIsPutIsGotWhole(t *testing.T, open Open) {
	s, want := open(t, roomy), Entry(Key(1), 2048, "tickets/1", "tickets")
	want.Vary = http.Header{"Accept-Language": {"de", "en"}}
	want.Age = 3 * time.Second
	must(t, "put", s.Put(want))
	e := got(t, s, Key(1))
	if e == nil {
		t.Fatal("what was put is gone")
	}
	if !want.Stored.Equal(e.Stored) || !want.Until.Equal(e.Until) {
		t.Errorf("stored %v until %v came back as %v until %v", want.Stored, want.Until, e.Stored, e.Until)
	}
	same := *e
	same.Stored, same.Until = want.Stored, want.Until
	if !reflect.DeepEqual(&same, want) {
		t.Errorf("what was put came back changed: got %+v, want %+v", e, want)
	}
	empty := &cache.Entry{Key: "empty", Status: http.StatusNotFound, Until: time.Now().Add(time.Hour)}
	must(t, "put", s.Put(empty))
	if e := got(t, s, "empty"); e == nil || e.Status != http.StatusNotFound || len(e.Body) != 0 || len(e.Header) != 0 {
		t.Errorf("an answer without header and body came back as %+v", e)
	}
}

func anUnknownKeyIsAMissNoError(t *testing.T, open Open) {
	s := open(t, roomy)
	for _, key := range []string{Key(1), ""} {
		if e := got(t, s, key); e != nil {
			t.Errorf("an empty store has %+v", e)
		}
	}
	must(t, "drop what is not there", s.Drop("tickets/1"))
	must(t, "drop nothing", s.Drop())
}

func puttingAgainReplaces(t *testing.T, open Open) {
	s := open(t, roomy)
	first, second := Entry(Key(1), 100), Entry(Key(1), 100)
	second.Body = []byte("second")
	for _, e := range []*cache.Entry{first, second, second} {
		must(t, "put", s.Put(e))
	}
	if e := got(t, s, Key(1)); e == nil || string(e.Body) != "second" {
		t.Errorf("got %+v, want the second", e)
	}
}

func keysThatLookAlikeAreKeptApart(t *testing.T, open Open) {
	s := open(t, roomy)
	keys := []string{"a", "a\n", "A", "a\x00", "a\x00b", "ab", "", "a?x=1&y=2", "a?y=2&x=1"}
	for i, key := range keys {
		e := Entry(key, 10)
		e.Status = 200 + i
		must(t, "put", s.Put(e))
	}
	for i, key := range keys {
		if e := got(t, s, key); e == nil || e.Status != 200+i {
			t.Errorf("%q: got %+v, want status %d", key, e, 200+i)
		}
	}
}

func dropForgetsByTag(t *testing.T, open Open) {
	s := open(t, roomy)
	must(t, "put", s.Put(Entry(Key(1), 10, "tickets/1", "tickets")))
	must(t, "put", s.Put(Entry(Key(2), 10, "tickets/2", "tickets")))
	must(t, "put", s.Put(Entry(Key(12), 10, "tickets/12")))
	must(t, "put", s.Put(Entry(Key(3), 10)))
	has := func(want ...int) {
		t.Helper()
		for _, n := range []int{1, 2, 12, 3} {
			wanted := false
			for _, w := range want {
				wanted = wanted || w == n
			}
			if there := got(t, s, Key(n)) != nil; there != wanted {
				t.Errorf("page %d there: %t, want %t", n, there, wanted)
			}
		}
	}
	must(t, "drop", s.Drop())
	has(1, 2, 12, 3)
	must(t, "drop", s.Drop("tickets/1"))
	has(2, 12, 3)
	must(t, "drop", s.Drop("users", "tickets"))
	has(12, 3)
	must(t, "put", s.Put(Entry(Key(1), 10, "tickets/1")))
	has(1, 12, 3)
}

func aReplacedEntryLeavesItsTags(t *testing.T, open Open) {
	s := open(t, roomy)
	must(t, "put", s.Put(Entry(Key(1), 10, "old", "both")))
	must(t, "put", s.Put(Entry(Key(1), 10, "new", "both")))
	must(t, "drop", s.Drop("old"))
	if got(t, s, Key(1)) == nil {
		t.Fatal("dropped by a tag of the entry it replaced")
	}
	must(t, "drop", s.Drop("both"))
	if got(t, s, Key(1)) != nil {
		t.Error("a tag that both entries carry no longer drops the second")
	}
}

func whatIsPastItsTimeIsNotKept(t *testing.T, open Open) {
	s := open(t, roomy)
	must(t, "put", s.Put(Entry(Key(1), 10)))
	late := Entry(Key(1), 10)
	late.Until = time.Now().Add(-time.Second)
	must(t, "put", s.Put(late))
	if e := got(t, s, Key(1)); e != nil && e.Until.After(time.Now()) {
		t.Error("the older entry is still there, in place of the one past its time")
	}
}

func bytesAreBounded(t *testing.T, open Open) {
	const size, each = 1 << 20, 4 << 10
	s := open(t, size)
	for n := range 4 * size / each {
		must(t, "put", putBearing(s, Entry(Key(n), each, fmt.Sprint("tickets/", n), "tickets")))
	}
	var bytes int64
	for n := range 4 * size / each {
		if e := got(t, s, Key(n)); e != nil {
			bytes += e.Size()
		}
	}
	if bytes > size || bytes < size/4 {
		t.Errorf("%d bytes of entries are held, want at most %d and a fair part of that", bytes, size)
	}
}

func whatIsTooLargeIsDeclined(t *testing.T, open Open) {
	s := open(t, 1<<20)
	must(t, "put", s.Put(Entry(Key(1), 10)))
	must(t, "put", s.Put(Entry(Key(2), 10)))
	must(t, "put more than the store holds", s.Put(Entry(Key(1), 2<<20)))
	if got(t, s, Key(1)) != nil {
		t.Error("the entry that the one too large was to replace is still there")
	}
	if got(t, s, Key(2)) == nil {
		t.Error("an entry too large has thrown out the others")
	}
}

func afterCloseEverythingFails(t *testing.T, open Open) {
	s := open(t, roomy)
	must(t, "put", s.Put(Entry(Key(1), 10, "tickets")))
	must(t, "close", s.Close())
	_, getErr := s.Get(Key(1))
	for what, err := range map[string]error{
		"get": getErr, "put": s.Put(Entry(Key(1), 10)), "drop": s.Drop("tickets"), "close": s.Close(),
	} {
		if err == nil {
			t.Errorf("%s after Close did not fail", what)
		}
	}
}
