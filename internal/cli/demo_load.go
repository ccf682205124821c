package cli

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// A job is one call of the demo's load; it does one record.
type job struct{ method, path, body string }

// A load is a list of jobs without end. The same seed makes the same list, so
// that both sides do the same work in the same order.
type load struct{ seed uint64 }

func newLoad(seed uint64) load { return load{seed} }

// at returns job i: of a hundred about 79 read a ticket, 4 change and 3 create
// one, and 14 read what a form needs and rarely changes: the ticket fields or
// the groups. More changes would show little but Zendesk's limit on them, 100 a
// minute.
func (l load) at(i int64) job {
	random := rand.New(rand.NewPCG(l.seed, uint64(i)))
	ticket := fmt.Sprintf("/api/v2/tickets/%d.json", 1+random.IntN(demoTickets))
	switch dice := random.IntN(100); {
	case dice < 3:
		return job{http.MethodPost, "/api/v2/tickets.json", fmt.Sprintf(`{"ticket":{"subject":"demo %d","comment":{"body":"made by flyball demo"}}}`, i)}
	case dice < 7:
		return job{http.MethodPut, ticket, fmt.Sprintf(`{"ticket":{"priority":%q}}`, []string{"low", "normal", "high"}[random.IntN(3)])}
	case dice < 14:
		return job{method: http.MethodGet, path: "/api/v2/ticket_fields.json"}
	case dice < 21:
		return job{method: http.MethodGet, path: "/api/v2/groups.json"}
	}
	return job{method: http.MethodGet, path: ticket}
}

// poll is what wallboards ask for, each once in pollEvery.
var poll = job{method: http.MethodGet, path: "/api/v2/tickets/count.json"}

const pollEvery = time.Second

// phase is when wallboard i begins: they do not know of each other.
func (l load) phase(i int) time.Duration {
	random := rand.New(rand.NewPCG(l.seed, ^uint64(i)))
	return time.Duration(random.Int64N(int64(pollEvery)))
}

// export is where the export begins; each page links to the next one.
const export = "/api/v2/tickets.json?page[size]=20"

// A click is a person who opens a ticket after a while.
type click struct {
	after time.Duration
	job   job
}

// click returns click i: one about every second.
func (l load) click(i int64) click {
	random := rand.New(rand.NewPCG(^l.seed, uint64(i)))
	return click{
		after: 500*time.Millisecond + time.Duration(random.Int64N(int64(time.Second))),
		job:   job{method: http.MethodGet, path: fmt.Sprintf("/api/v2/tickets/%d.json", 1+random.IntN(demoTickets))},
	}
}
