package cache

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"sync/atomic"
)

// A Dresser makes answers fit for those whom they are handed to: it may change
// header and body, for the same answer always in the same way. It replaces the
// header's values and does not write to them. Dressers are told apart by ==.
type Dresser interface{ Dress(resp *http.Response) }

const (
	// maxForms bounds the dressers whose work is kept with one entry.
	maxForms = 4
	// maxDressed bounds, in bytes for all entries, what is kept of that work
	// beside the entries themselves.
	maxDressed = 16 << 20
)

// A form is an entry as a dresser makes it: the entry itself where that
// changes nothing.
type form struct {
	by    Dresser
	entry *Entry
	next  *form
}

// dressed returns the question's entry as by makes it, or nil where it breaks
// off.
func (t *layer) dressed(q *question, by Dresser) *Entry {
	var first *form
	n := 0
	if q.entry.forms != nil {
		first = q.entry.forms.Load()
	}
	for f := first; f != nil; f = f.next {
		if f.by == by {
			return f.entry
		}
		n++
	}
	e := q.dress(by)
	if e != nil && q.entry.forms != nil && n < maxForms && (e == q.entry || t.affords(e)) {
		// Of two at once one may be lost: it is made again then.
		q.entry.forms.CompareAndSwap(first, &form{by, e, first})
	}
	return e
}

// affords counts what is kept of e beside the entries until it has gone, or
// reports that there is no room.
func (t *layer) affords(e *Entry) bool {
	size := e.Size()
	if t.extra.Add(size) > maxDressed {
		t.extra.Add(-size)
		return false
	}
	runtime.AddCleanup(e, func(size int64) { t.extra.Add(-size) }, size)
	return true
}

// dress has by make what it makes of the entry, whole.
func (q *question) dress(by Dresser) *Entry {
	e := q.entry
	resp := &http.Response{
		Status: statusLine(e.Status), StatusCode: e.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: maps.Clone(e.Header), Body: bodyOf(e.Body), ContentLength: int64(len(e.Body)), Request: q.req,
	}
	by.Dress(resp)
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil
	}
	if bytes.Equal(body, e.Body) {
		body = e.Body
		if maps.EqualFunc(resp.Header, e.Header, slices.Equal) {
			return e
		}
	}
	return &Entry{Status: e.Status, Header: resp.Header, Body: slices.Clip(body), Stored: e.Stored, Age: e.Age}
}

// forms is the list of an entry's forms, the latest first.
type forms = atomic.Pointer[form]
