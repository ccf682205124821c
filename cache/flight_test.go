package cache

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// together makes n identical GETs at once and returns their bodies.
func (w *world) together(n int, path string) []string {
	bodies := make([]string, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { _, bodies[i] = w.ask("GET", path) })
	}
	group.Wait()
	return bodies
}

func TestALongBodyIsNotSharedAndReachesAll(t *testing.T) {
	for _, length := range []int{0, 1, 99, 100, 101, 40_000} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{MaxBody: 100})
			w.origin.wait, w.origin.body = time.Second, strings.Repeat("x", length)
			for i, body := range w.together(4, "/any") {
				if body != w.origin.body {
					t.Errorf("call %d got %d of %d bytes", i, len(body), length)
				}
			}
			if want := map[bool]int{true: 1, false: 4}[length <= 100]; w.sends() != want {
				t.Errorf("%d bytes: %d sends, want %d", length, w.sends(), want)
			}
		})
	}
}

// A leader that reads nothing, or stops half-way, keeps nobody waiting.
func TestASlowLeaderKeepsNobodyWaiting(t *testing.T) {
	for name, leader := range map[string]func(resp *http.Response){
		"reads later": func(resp *http.Response) {
			time.Sleep(time.Hour)
			if body, err := io.ReadAll(resp.Body); err != nil || len(body) != 50_000 {
				t.Errorf("the leader got %d bytes, %v", len(body), err)
			}
			resp.Body.Close()
		},
		"stops half-way": func(resp *http.Response) {
			io.ReadFull(resp.Body, make([]byte, 10))
			resp.Body.Close()
		},
		"reads nothing": func(resp *http.Response) { resp.Body.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, Options{})
				w.origin.wait, w.origin.body = time.Second, strings.Repeat("x", 50_000)
				var group sync.WaitGroup
				group.Go(func() {
					resp, err := w.rt.RoundTrip(w.request(t.Context(), "GET", "/any"))
					if err != nil {
						t.Error(err)
						return
					}
					leader(resp)
				})
				synctest.Wait()
				start := time.Now()
				for _, body := range w.together(3, "/any") {
					if body != w.origin.body {
						t.Errorf("a caller who joined got %d bytes", len(body))
					}
				}
				if took := time.Since(start); took > time.Second || w.sends() != 1 {
					t.Errorf("it took %s and %d sends", took, w.sends())
				}
				group.Wait()
			})
		})
	}
}

func TestWhoComesDuringTheBodyJoins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{Rules: []Rule{{Route: "GET /kept", Fresh: time.Minute}}})
		leader, err := w.rt.RoundTrip(w.request(t.Context(), "GET", "/kept"))
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range w.together(3, "/kept") { // the leader reads nothing meanwhile
			if body != "body" {
				t.Errorf("got %q", body)
			}
		}
		w.wants(1, "an answer whose body is still to come")
		if body, err := io.ReadAll(leader.Body); string(body) != "body" || err != nil {
			t.Errorf("the leader got %q, %v", body, err)
		}
		leader.Body.Close()
	})
}

func TestAFaultReachesAllAndARefusalOnlyItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.origin.wait, w.origin.status = time.Second, 500
		w.together(3, "/any")
		w.wants(1, "a fault is everybody's")
		w.origin.status = 429
		w.together(3, "/any")
		w.wants(4, "each may wait as long as it likes")
	})
}

func TestNobodyJoinsASendFromBeforeAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{Rules: []Rule{{Route: "GET /kept", Fresh: time.Hour}}})
		w.origin.waits(10 * time.Second)
		var group sync.WaitGroup
		group.Go(func() { w.get() })
		time.Sleep(5 * time.Second)
		w.origin.waits(time.Second)
		w.ask("PUT", "/kept") // ends while the GET is under way
		w.origin.waits(0)
		start := time.Now()
		w.get()
		if time.Since(start) > 0 {
			t.Error("a GET joined a send from before the write")
		}
		group.Wait()
		w.ask("PUT", "/kept") // drops what that one stored
		w.origin.waits(10 * time.Second)
		group.Go(func() { w.get() })
		time.Sleep(time.Second)
		w.origin.waits(0)
		w.ask("PUT", "/kept")
		group.Wait() // it was asked before the write ended: not kept
		before := w.sends()
		if w.get(); w.sends() != before+1 {
			t.Error("an answer from before the write was kept")
		}
	})
}

func TestWhatAJobMayChangeIsNotKeptUntilItHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{Rules: []Rule{{Route: "GET /kept", Fresh: time.Hour}}})
		w.origin.body = "j1 running"
		w.get()
		w.ask("POST", "/bulk")
		w.get()
		w.get()
		w.wants(4, "while the job runs")
		w.ask("GET", "/jobs")
		w.origin.body = "j1 ended"
		w.ask("GET", "/jobs")
		w.get()
		w.get()
		w.wants(7, "once it has ended")
	})
}

// Callers come, leave and write at random; nobody gets another's answer, a
// stale one, or none. Run it with the race detector.
func TestManyCallersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{Rules: []Rule{{Route: "GET /kept", Fresh: 5 * time.Millisecond, StaleWhileLimited: time.Hour}}})
		w.origin.header.Set("Etag", `"1"`)
		w.origin.wait, w.origin.body = 3*time.Millisecond, strings.Repeat("y", 5000)
		var group sync.WaitGroup
		for i := range 40 {
			group.Go(func() {
				for n := range 50 {
					method, path := "GET", [...]string{"/kept", "/any", "/kept?x"}[(i+n)%3]
					if (i*7+n)%23 == 0 {
						method = "PUT"
					}
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+(i+n)%9)*time.Millisecond)
					resp, err := w.rt.RoundTrip(w.request(ctx, method, path))
					if err != nil {
						if ctx.Err() == nil {
							t.Errorf("%s %s: %v", method, path, err)
						}
					} else {
						body, err := io.ReadAll(resp.Body)
						if err == nil && len(body) != 5000 {
							t.Errorf("%d bytes", len(body))
						}
						if err != nil && ctx.Err() == nil {
							t.Error(err)
						}
						resp.Body.Close()
					}
					cancel()
				}
			})
		}
		group.Wait()
		synctest.Wait()
		if l := w.rt.(*transport); len(l.flights) != 0 || len(l.history.putting) != 0 {
			t.Errorf("%d flights and %d puts are left", len(l.flights), len(l.history.putting))
		}
	})
}

// A store that fails, or keeps another entry under the key, is a miss.
func TestABrokenStoreIsAMiss(t *testing.T) {
	for name, store := range map[string]Store{"fails": failing{}, "mixes up": mixing{}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, Options{Store: store, Rules: []Rule{{Route: "GET /kept", Fresh: time.Hour}}})
				if _, body := w.get(); body != "body" {
					t.Errorf("got %q", body)
				}
				w.ask("PUT", "/kept")
				w.wants(2, "each call is sent")
			})
		})
	}
}

var errBroken = errors.New("the store is broken")

type failing struct{}

func (failing) Get(string) (*Entry, error) { return nil, errBroken }
func (failing) Put(*Entry) error           { return errBroken }
func (failing) Drop(...string) error       { return errBroken }
func (failing) Close() error               { return errBroken }

type mixing struct{ failing }

func (mixing) Get(string) (*Entry, error) {
	return &Entry{Key: "another", Status: 200, Header: http.Header{}, Body: []byte("another's"), Stored: time.Now(), Until: time.Now().Add(time.Hour)}, nil
}
