package rivals

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// callers are the people and programs that call, and what they saw.
type callers struct {
	scenario scenario
	policy   policy
	ways     []http.RoundTripper // one a process

	done    []atomic.Int64 // bulk calls answered, by client
	calls   atomic.Int64
	refused atomic.Int64 // times that a caller saw a refusal

	mu   sync.Mutex
	took []time.Duration // of interactive calls, arrival to success
}

// work makes all bulk calls, and interactive ones until bulk is done; idle
// scenarios end at their horizon instead. It returns when bulk was done.
func (c *callers) work(ctx context.Context, seed uint64) time.Time {
	stop, over := context.WithCancel(ctx)
	defer over()
	var people sync.WaitGroup
	people.Go(func() { c.people(ctx, stop, seed, &people) })
	if c.scenario.idle {
		time.Sleep(c.scenario.horizon())
	} else {
		c.bulk(ctx)
	}
	end := time.Now()
	over()
	people.Wait()
	return end
}

// bulk works the backlog off: each client's workers, from one queue for each.
func (c *callers) bulk(ctx context.Context) {
	clients := c.scenario.clients()
	var next atomic.Int64
	var group sync.WaitGroup
	worker := 0
	for client, workers := range clients {
		for range workers {
			process := worker % len(c.ways)
			worker++
			group.Go(func() {
				for i := int(next.Add(1)) - 1; i < c.scenario.backlog(); i = int(next.Add(1)) - 1 {
					c.call(ctx, process, bulk, client, c.scenario.bulkPath(i))
					c.done[client].Add(1)
				}
			})
		}
	}
	group.Wait()
}

// people arrive as a Poisson process until stop; each makes one call.
func (c *callers) people(ctx, stop context.Context, seed uint64, group *sync.WaitGroup) {
	rate := c.scenario.interactive()
	if rate == 0 {
		return
	}
	rng := rand.New(rand.NewPCG(seed, 2))
	for i := 0; ; i++ {
		select {
		case <-stop.Done():
			return
		case <-time.After(time.Duration(rng.ExpFloat64() / rate * float64(time.Second))):
		}
		group.Go(func() {
			start := time.Now()
			c.call(ctx, i%len(c.ways), interactive, 0, "/api/v2/organizations/1.json")
			c.mu.Lock()
			c.took = append(c.took, time.Since(start))
			c.mu.Unlock()
		})
	}
}

// call makes one call and does not rest until it is answered. No two calls
// are alike: flyball would make one send of those that are, and rivals not.
func (c *callers) call(ctx context.Context, process int, k kind, client int, path string) {
	path += fmt.Sprintf("%cn=%d", "?&"[min(1, strings.Count(path, "?"))], c.calls.Add(1))
	who := name(k, client)
	if c.policy.label != nil {
		ctx = c.policy.label(ctx, k, who)
	}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, origin+path, http.NoBody)
		if err != nil {
			panic(err) // a path of ours
		}
		req.Header.Set("Authorization", "Bearer "+who)
		resp, err := c.ways[process].RoundTrip(req)
		if !refused(resp, err) {
			discard(resp)
			return
		}
		c.refused.Add(1)
		if resp != nil {
			discard(resp)
		}
		time.Sleep(retryAfter(resp))
	}
}

// name is the client's name and the credential it calls with.
func name(k kind, client int) string {
	if k == interactive {
		return "desk"
	}
	return "export-" + string(rune('a'+client))
}
