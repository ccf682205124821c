package flyball_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/simulator"
)

// A readPlan is one read of a random program.
type readPlan struct {
	at         time.Duration
	path       string
	credential string
	behalf     string
	class      flyball.Class
	leaves     time.Duration // 0: stays to the end
}

// readProgram is a random program of reads by several clients: of tickets,
// users and organizations (whose ids are given) that are there, were deleted
// or never were.
func readProgram(seed uint64, n int, within time.Duration, ids map[string][]int) []readPlan {
	r := rand.New(rand.NewPCG(seed, 7))
	plans := make([]readPlan, n)
	for i := range plans {
		p := &plans[i]
		p.at = time.Duration(r.Int64N(int64(within))).Round(20 * time.Millisecond) // some at the same instant
		kind := oneOf(r, "tickets", "tickets", "users", "organizations")
		id := oneOf(r, ids[kind]...)
		if r.IntN(20) == 0 {
			id += 7
		}
		p.path = fmt.Sprintf("/api/v2/%s/%d%s", kind, id, oneOf(r, "", ".json"))
		p.credential = oneOf(r, "Bearer one", "Bearer two")
		p.behalf = oneOf(r, "", "", "", "agent@example.com")
		p.class = oneOf(r, flyball.Normal, flyball.Normal, flyball.Bulk, flyball.Interactive)
		if r.IntN(6) == 0 {
			p.leaves = time.Duration(r.Int64N(int64(2 * time.Second)))
		}
	}
	return plans
}

func oneOf[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// Merged or not, whatever becomes of the sends for many, each caller that
// stays gets what its own call answers.
func TestMergedReadsAnswerAsTheirOwnCallsDo(t *testing.T) {
	seeds := 3
	if testing.Short() || racing {
		seeds = 1
	}
	many := "/api/v2/*/show_many?*"
	for name, faults := range map[string][]simulator.Fault{
		"nothing wrong":          nil,
		"refused in the middle":  {{Path: "/api/v2/*", Every: 9, Status: 429, RetryAfter: "2"}},
		"many fail":              {{Path: many, Every: 2, Status: 503, RetryAfter: "1"}},
		"all of many fail":       {{Path: many, Status: 500}},
		"many are cut":           {{Path: many, Every: 2, Cut: simulator.CutBody}},
		"many are never there":   {{Path: many, Every: 3, Cut: simulator.CutBefore}},
		"many are refused":       {{Path: many, Every: 2, Status: 429, RetryAfter: "3"}},
		"slow and out of order":  {{Path: many, Every: 2, Delay: 3 * time.Second}, {Path: many, Every: 3, SlowBody: time.Second}},
		"the limit is misstated": {{Path: "/api/v2/*", Every: 5, StrayZero: true}},
	} {
		for seed := range uint64(seeds) {
			t.Run(fmt.Sprintf("%s, seed %d", name, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					o := simulator.Options{Limit: 120, Tickets: 50, Latency: simulator.Fixed(150 * time.Millisecond)}
					o.Faults = faults
					a := newAccount(t, 40+seed, o, governedBy(flyball.Options{}))
					o.Faults, o.Seed, o.Origin, o.Limit = nil, 40+seed, "https://acme.zendesk.com", 1_000_000
					twin := &http.Client{Transport: simulator.New(o).RoundTripper()}
					for _, c := range []*http.Client{{Transport: a.RoundTripper()}, twin} {
						for id := 3; id < 50; id += 11 {
							if status := remove(t, c, id); status != http.StatusNoContent {
								t.Fatalf("delete ticket %d: %d", id, status)
							}
						}
					}
					plans := readProgram(seed, 300, 5*time.Second, idsOf(t, twin))
					got := make([]reply, len(plans))
					var group sync.WaitGroup
					for i, p := range plans {
						group.Go(func() {
							pass(p.at)
							got[i] = p.read(t.Context(), a.client)
						})
					}
					group.Wait()
					for i, p := range plans {
						p.check(t, got[i], fetch(t.Context(), twin, p.path))
					}
					sends := a.Ledger().Sends
					if faults == nil && sends > len(plans)*2/3 {
						t.Errorf("%d sends for %d reads: hardly any were merged", sends, len(plans))
					}
					t.Logf("%d sends for %d reads", sends, len(plans))
				})
			})
		}
	}
}

func (p readPlan) read(ctx context.Context, client *http.Client) reply {
	ctx = flyball.WithClass(flyball.WithBatch(ctx), p.class)
	if p.leaves > 0 {
		bounded, cancel := context.WithTimeout(ctx, p.leaves)
		defer cancel()
		ctx = bounded
	}
	header := []string{"Authorization", p.credential}
	if p.behalf != "" {
		header = append(header, "X-On-Behalf-Of", p.behalf)
	}
	return fetch(ctx, client, p.path, header...)
}

func (p readPlan) check(t *testing.T, got, want reply) {
	t.Helper()
	var refusal *flyball.WaitError
	switch {
	case got.err != nil && p.leaves > 0 && (errors.As(got.err, &refusal) || errors.Is(got.err, context.DeadlineExceeded)):
	case p.leaves > 0 && got.status == http.StatusTooManyRequests: // its own answer, when the pause does not fit
	case got.err != nil || got.status != want.status || !reflect.DeepEqual(got.value, want.value):
		t.Errorf("%s: %d %v, %v; want %d %v", p.path, got.status, got.value, got.err, want.status, want.value)
	}
}

// idsOf are the ids of the account's tickets, those that were deleted too, and
// of some of its users and organizations.
func idsOf(t *testing.T, client *http.Client) map[string][]int {
	t.Helper()
	ids := map[string][]int{}
	for id := range 50 {
		ids["tickets"] = append(ids["tickets"], id+1)
	}
	for _, kind := range []string{"users", "organizations"} {
		page, _ := fetch(t.Context(), client, "/api/v2/"+kind+"?per_page=40").value.(map[string]any)
		list, _ := page[kind].([]any)
		for _, object := range list {
			ids[kind] = append(ids[kind], int(object.(map[string]any)["id"].(float64)))
		}
		if len(ids[kind]) == 0 {
			t.Fatalf("the account has no %s", kind)
		}
	}
	return ids
}

func remove(t *testing.T, c *http.Client, id int) int {
	t.Helper()
	req := reading(t.Context(), fmt.Sprintf("/api/v2/tickets/%d", id))
	req.Method = http.MethodDelete
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}
