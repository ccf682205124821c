package observe

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/flyballhq/flyball/limit"
)

// A register finds the records of trials under way by what they read or write:
// a send for many knows its objects, not the calls it was made of.
type register struct {
	mu sync.Mutex
	of map[string][]*entry // in order of arrival
}

// An entry is one record under one name.
type entry struct {
	record *record
	taken  bool // by a made-up job
}

// name is what a single call is found by: what it does, with which credential,
// and to which object; a creation by what it creates.
func name(method, family, what string, credential uint64) string {
	return method + " " + family + " " + what + " " + strconv.FormatUint(credential, 16)
}

// enter makes a record known by its object: a creation once its body was read,
// by what it creates, and any other at once.
func (o *Observer) enter(r *record, body []byte) {
	switch {
	case r.read != nil:
		o.live.add(readName(r.read, r.object, r.route.Credential), r)
	case r.write == nil || (r.write.Verb == limit.Creates) != (body != nil): // not yet, or long since
	case body == nil:
		o.live.add(writeName(r.write, r.object, nil, r.route.Credential), r)
	default:
		if item, ok := o.provider.WriteItem(r.write, 0, body); ok {
			o.live.add(writeName(r.write, 0, item.JSON, r.route.Credential), r)
		}
	}
}

func readName(form *limit.ReadForm, id, credential uint64) string {
	return name("GET", strings.TrimSuffix(form.Path, "/show_many"), strconv.FormatUint(id, 10), credential)
}

// writeName is the name of one item of a job.
func writeName(form *limit.WriteForm, id uint64, json []byte, credential uint64) string {
	what := strconv.FormatUint(id, 10)
	if form.Verb == limit.Creates {
		sum := sha256.Sum256(json)
		what = hex.EncodeToString(sum[:])
	}
	method, family, _ := strings.Cut(strings.TrimSuffix(form.Class, "/{id}"), " ")
	return name(method, family, what, credential)
}

func (g *register) add(name string, r *record) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.of == nil {
		g.of = map[string][]*entry{}
	}
	r.name = name
	g.of[name] = append(g.of[name], &entry{record: r})
}

// leave forgets a record whose trial has ended.
func (g *register) leave(r *record) {
	g.mu.Lock()
	defer g.mu.Unlock()
	rest := slices.DeleteFunc(g.of[r.name], func(e *entry) bool { return e.record == r })
	if len(rest) == 0 {
		delete(g.of, r.name)
	} else {
		g.of[r.name] = rest
	}
}

// take returns the first record of the name that no job has taken, and takes
// it; nil when there is none. Writes to one object are merged in their order.
func (g *register) take(name string) *record {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.of[name] {
		if !e.taken {
			e.taken = true
			return e.record
		}
	}
	return nil
}

// latest returns the last record of the name that a job has, or has not,
// taken.
func (g *register) latest(name string, taken bool) *record {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range slices.Backward(g.of[name]) {
		if e.taken == taken {
			return e.record
		}
	}
	return nil
}
