package batch

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// An order keeps two writes to one object in order when one of them may be
// merged: a job takes seconds, and what is sent meanwhile would overtake it.
// The zero value is ready.
type order struct {
	mu      sync.Mutex
	objects map[object][]*turn // unfinished writes, in order of arrival
}

type object struct {
	family string
	id     uint64
}

// A turn is one write's place. A nil turn is that of a call which needs none.
type turn struct {
	order  *order
	object object
	merges bool
	before []*turn // that it waits for
	done   chan struct{}
}

// take gives a write of an object its place. merges says that it may be
// merged: it waits for every write that came before. Others wait for those
// that may be merged only.
func (o *order) take(req *http.Request, call *limit.Call, merges bool) *turn {
	if !writesObject(req, call) {
		return nil
	}
	family, _, _ := strings.Cut(call.Route.Class, "/{id}")
	_, family, _ = strings.Cut(family, " ")
	t := &turn{order: o, object: object{family, call.Route.Object}, merges: merges, done: make(chan struct{})}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, earlier := range o.objects[t.object] {
		if merges || earlier.merges {
			t.before = append(t.before, earlier)
		}
	}
	if o.objects == nil {
		o.objects = map[object][]*turn{}
	}
	o.objects[t.object] = append(o.objects[t.object], t)
	return t
}

// writesObject reports whether the call changes an object that its path names.
func writesObject(req *http.Request, call *limit.Call) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	return call.Route.Object != 0 && strings.Contains(call.Route.Class, "/{id}")
}

// wait blocks until the writes before have ended, or the caller's patience.
func (t *turn) wait(req *http.Request, call *limit.Call) error {
	ctx := req.Context()
	if t == nil || len(t.before) == 0 {
		return nil
	}
	var expired <-chan time.Time
	end := call.Deadline
	switch {
	case call.NoWait:
		end = time.Now()
		fallthrough
	case !end.IsZero():
		timer := time.NewTimer(time.Until(end))
		defer timer.Stop()
		expired = timer.C
	}
	for _, earlier := range t.before {
		select {
		case <-earlier.done:
			continue
		default:
		}
		select {
		case <-earlier.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-expired:
			now := time.Now()
			return &limit.WaitError{
				Method: req.Method, Path: req.URL.Path, Class: call.Route.Class, Bucket: call.Route.PauseKey(), Reason: limit.Queued,
				RetryAt: now.Add(firstGap), Patience: max(0, end.Sub(call.Arrived)), Wait: now.Sub(call.Arrived) + firstGap,
			}
		}
	}
	t.before = nil
	return nil
}

// end lets the writes behind go.
func (t *turn) end() {
	if t == nil {
		return
	}
	t.order.mu.Lock()
	defer t.order.mu.Unlock()
	rest := t.order.objects[t.object]
	if i := slices.Index(rest, t); i >= 0 {
		rest = slices.Delete(rest, i, i+1)
	}
	if len(rest) == 0 {
		delete(t.order.objects, t.object)
	} else {
		t.order.objects[t.object] = rest
	}
	close(t.done)
}
