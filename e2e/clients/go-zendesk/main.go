// Command go-zendesk is a program on the client of that name, as its
// documentation shows it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strconv"
	"sync"

	"github.com/nukosuke/go-zendesk/zendesk"
)

func main() {
	client, err := zendesk.NewClient(nil)
	if err != nil {
		log.Fatal(err)
	}
	client.SetCredential(zendesk.NewAPITokenCredential("agent@example.com", "token"))
	if err := client.SetEndpointURL(os.Args[1] + "/api/v2"); err != nil {
		log.Fatal(err)
	}
	ids, err := do(client, os.Args[2], os.Args[3:])
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(ids); err != nil {
		log.Fatal(err)
	}
}

func do(client *zendesk.Client, task string, tickets []string) ([]int64, error) {
	ctx := context.Background()
	switch task {
	case "list":
		return list(ctx, client)
	case "show":
		return inTens(tickets, func(id int64) (int64, error) {
			ticket, err := client.GetTicket(ctx, id)
			return ticket.ID, err
		})
	case "update":
		return inTens(tickets, func(id int64) (int64, error) {
			ticket, err := client.UpdateTicket(ctx, id, zendesk.Ticket{Subject: "changed"})
			return ticket.ID, err
		})
	case "create":
		return inTens(tickets, func(n int64) (int64, error) {
			ticket := zendesk.Ticket{Subject: fmt.Sprint("made ", n), Comment: &zendesk.TicketComment{Body: "hello"}}
			ticket, err := client.CreateTicket(ctx, ticket)
			return ticket.ID, err
		})
	}
	return nil, fmt.Errorf("no task %q", task)
}

func list(ctx context.Context, client *zendesk.Client) ([]int64, error) {
	var ids []int64
	for pages := client.GetTicketsIterator(ctx, zendesk.NewPaginationOptions()); pages.HasMore(); {
		tickets, err := pages.GetNext()
		if err != nil {
			return nil, err
		}
		for _, ticket := range tickets {
			ids = append(ids, ticket.ID)
		}
	}
	return ids, nil
}

// inTens does work for each ticket, ten at once, and returns the first error.
func inTens(tickets []string, work func(int64) (int64, error)) ([]int64, error) {
	results, errs := make([]int64, len(tickets)), make([]error, len(tickets))
	places := make(chan struct{}, 10)
	var all sync.WaitGroup
	for i, text := range tickets {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, err
		}
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			results[i], errs[i] = work(id)
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return results, nil
}
