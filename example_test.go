package flyball_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/simulator"
)

// newZendesk is a Zendesk account to try things on. It answers at once.
func newZendesk(faults ...simulator.Fault) *simulator.Simulator {
	return simulator.New(simulator.Options{Latency: simulator.Fixed(0), Faults: faults})
}

// get makes one call and returns its status.
func get(ctx context.Context, client *http.Client, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	req.SetBasicAuth("agent@example.com/token", "any")
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.Status, err
}

// A Transport goes into an ordinary http.Client. Base is left out against the
// real Zendesk; here it is a simulated account.
func ExampleNew() {
	t, err := flyball.New(flyball.Options{Account: "acme", Base: newZendesk().RoundTripper()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer t.Close()
	client := &http.Client{Transport: t}

	fmt.Println(get(context.Background(), client, "https://acme.zendesk.com/api/v2/tickets/1.json"))
	// Output: 200 OK <nil>
}

// Options that cannot work are refused where they are given, with the way out.
func ExampleNew_mistake() {
	_, err := flyball.New(flyball.Options{Account: "acme", MaxWaiting: -1})
	fmt.Println(err)
	// Output: flyball.Options: MaxWaiting: -1 is negative; 0 means 10,000
}

// Callers need no care of their own: ten workers share one Transport, and the
// account's own ledger says that none of their calls was refused.
func ExampleTransport_RoundTrip() {
	zendesk := newZendesk()
	t, err := flyball.New(flyball.Options{Account: "acme", Base: zendesk.RoundTripper()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer t.Close()
	client := &http.Client{Transport: t}

	var workers sync.WaitGroup
	for worker := range 10 {
		workers.Go(func() {
			for i := range 5 {
				url := fmt.Sprintf("https://acme.zendesk.com/api/v2/tickets/%d.json", 1+worker*5+i)
				if _, err := get(context.Background(), client, url); err != nil {
					fmt.Println(err)
				}
			}
		})
	}
	workers.Wait()
	ledger := zendesk.Ledger()
	fmt.Println(ledger.Sends, "sends,", ledger.Refused(), "refused")
	// Output: 50 sends, 0 refused
}

// Requests to other hosts pass untouched: nobody counts or holds them.
func ExampleTransport_RoundTrip_otherHosts() {
	zendesk := newZendesk()
	t, err := flyball.New(flyball.Options{Account: "acme", Base: zendesk.RoundTripper()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer t.Close()
	t.Close() // refuses every call to acme from now on

	client := &http.Client{Transport: t}
	fmt.Println(get(context.Background(), client, "https://other.zendesk.com/api/v2/tickets/1.json"))
	// Output: 200 OK <nil>
}

// A call that may not wait as long as it would have to fails at once, with the
// reason and the time to come back. Here Zendesk has just asked for ten
// minutes of peace on one endpoint.
func ExampleWithMaxWait() {
	zendesk := newZendesk(simulator.Fault{Path: "/api/v2/organizations.json", Status: 429, RetryAfter: "600"})
	t, err := flyball.New(flyball.Options{Account: "acme", Base: zendesk.RoundTripper()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer t.Close()
	client := &http.Client{Transport: t}
	ctx := flyball.WithMaxWait(context.Background(), 8*time.Second)

	// The first call finds out. Ten minutes do not fit into 8 s, so it gets
	// Zendesk's own answer.
	fmt.Println(get(ctx, client, "https://acme.zendesk.com/api/v2/organizations.json"))

	// The second one is not sent at all.
	_, err = get(ctx, client, "https://acme.zendesk.com/api/v2/organizations.json")
	var wait *flyball.WaitError
	if errors.As(err, &wait) {
		fmt.Println("not sent:", wait.Reason)
		fmt.Println("come back in ten minutes:", time.Until(wait.RetryAt) > 9*time.Minute)
	}

	// Other calls go on.
	fmt.Println(get(ctx, client, "https://acme.zendesk.com/api/v2/tickets/1.json"))
	fmt.Println(zendesk.Ledger().Sends, "sends")
	// Output:
	// 429 Too Many Requests <nil>
	// not sent: paused by a 429
	// come back in ten minutes: true
	// 200 OK <nil>
	// 2 sends
}

// Fifty tickets are read one by one, by callers who know nothing of each
// other. Two sends do it: the first read goes alone, the others become one.
func ExampleWithBatch() {
	zendesk := simulator.New(simulator.Options{Latency: simulator.Fixed(200 * time.Millisecond)})
	t, err := flyball.New(flyball.Options{Account: "acme", Base: zendesk.RoundTripper()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer t.Close()
	client := &http.Client{Transport: t}

	ctx := flyball.WithBatch(context.Background())
	var callers sync.WaitGroup
	for id := range 50 {
		callers.Go(func() { get(ctx, client, fmt.Sprintf("https://acme.zendesk.com/api/v2/tickets/%d.json", id+1)) })
	}
	callers.Wait()
	fmt.Println(zendesk.Ledger().Sends, "sends")
	// Output: 2 sends
}

// WithClient names who calls. Events, and what is made of them, carry the name.
func ExampleWithClient() {
	t, err := flyball.New(flyball.Options{
		Account: "acme",
		Base:    newZendesk().RoundTripper(),
		OnEvent: func(e event.Event) {
			if e.Kind == event.Sent {
				fmt.Println(e.Call.Client, e.Call.Class, e.Call.Route.Class, e.Status)
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer t.Close()
	ctx := flyball.WithClient(context.Background(), "nightly-sync")
	ctx = flyball.WithClass(ctx, flyball.Bulk)
	if _, err := get(ctx, &http.Client{Transport: t}, "https://acme.zendesk.com/api/v2/tickets/7.json"); err != nil {
		fmt.Println(err)
	}
	// Output: nightly-sync bulk GET /api/v2/tickets/{id} 200
}

// Snapshot shows every bucket of the account now: what Zendesk allows, what is
// left, and who said so.
func ExampleTransport_Snapshot() {
	t, err := flyball.New(flyball.Options{Account: "acme", Base: newZendesk().RoundTripper()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer t.Close()
	url := "https://acme.zendesk.com/api/v2/tickets/7.json"
	if _, err := get(context.Background(), &http.Client{Transport: t}, url); err != nil {
		fmt.Println(err)
	}
	for _, bucket := range t.Snapshot().Buckets {
		if bucket.Key.ID == "account" {
			fmt.Printf("%s: %d per %s, said by a %s\n", bucket.Key, bucket.Limit, bucket.Window, bucket.Source)
		}
	}
	// Output: support/account: 700 per 1m0s, said by a header
}

// OnEvent is told what happens to each call. It is called by many goroutines
// at once and must not block.
func ExampleOptions_onEvent() {
	var admitted, refused atomic.Int64
	t, err := flyball.New(flyball.Options{
		Account: "acme",
		Base:    newZendesk().RoundTripper(),
		OnEvent: func(e event.Event) {
			switch e.Kind {
			case event.Admitted:
				admitted.Add(1)
			case event.Refused:
				refused.Add(1)
			default: // held, sent, retried and others
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer t.Close()
	client := &http.Client{Transport: t}
	for range 3 {
		if _, err := get(context.Background(), client, "https://acme.zendesk.com/api/v2/tickets/7.json"); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(admitted.Load(), "admitted,", refused.Load(), "refused")
	// Output: 3 admitted, 0 refused
}

// Close refuses the calls that are held and all later ones.
func ExampleTransport_Close() {
	t, err := flyball.New(flyball.Options{Account: "acme", Base: newZendesk().RoundTripper()})
	if err != nil {
		fmt.Println(err)
		return
	}
	t.Close()
	_, err = get(context.Background(), &http.Client{Transport: t}, "https://acme.zendesk.com/api/v2/tickets/7.json")
	var wait *flyball.WaitError
	fmt.Println(errors.As(err, &wait), wait.Reason)
	// Output: true flyball is shutting down
}
