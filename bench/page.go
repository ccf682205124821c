package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
)

// A page is one answer that the upstream gives, and how a client asks for it.
type page struct {
	name, what string
	path       string
	bar        float64 // the most CPU per request beside the bare proxy; 0 states none
	gzipped    bool
	body       func(origin string) string
}

// pages are the cases of the benchmark. Names are for -cases.
var pages = []page{
	{name: "file", what: "2 KB, not JSON", path: "/attachments/token/x/?name=a.csv", bar: 1.15, body: func(string) string {
		return strings.Repeat("17,open,2026-01-01\n", 108)
	}},
	{name: "ticket", what: "2 KB, JSON without page links", path: "/api/v2/tickets/17.json", bar: 1.15, body: func(origin string) string {
		return `{"ticket":` + ticket(origin, 17, 1100) + `}`
	}},
	{name: "page", what: "2 KB, plain page links", path: "/api/v2/tickets.json?per_page=1", body: func(origin string) string {
		return listing(origin, 1, 900)
	}},
	{name: "page-gzip", what: "2 KB, page links, gzip", path: "/api/v2/tickets.json?per_page=1&z=1", gzipped: true, body: func(origin string) string {
		return listing(origin, 1, 900)
	}},
	{name: "list", what: "100 tickets, plain page links", path: "/api/v2/tickets.json?per_page=100", body: func(origin string) string {
		return listing(origin, 100, 400)
	}},
	{name: "list-gzip", what: "100 tickets, page links, gzip", path: "/api/v2/tickets.json?per_page=100&z=1", gzipped: true, body: func(origin string) string {
		return listing(origin, 100, 400)
	}},
}

func (p page) contentType() string {
	if p.name == "file" {
		return "text/csv"
	}
	return "application/json; charset=utf-8"
}

// ticket writes one ticket as Zendesk does, its description of about length
// bytes.
func ticket(origin string, id, length int) string {
	const words = `my \"express\" order from last week is still on its way. Could you see what happened?\n\n`
	var text strings.Builder
	for n := id; text.Len() < length; n += 7 {
		fmt.Fprintf(&text, "Hello %d, %s", n*7919, words)
	}
	return fmt.Sprintf(`{"url":"%[1]s/api/v2/tickets/%[2]d.json","id":%[2]d,"external_id":null,`+
		`"via":{"channel":"web","source":{"from":{},"to":{},"rel":null}},"created_at":"2026-03-02T10:21:11Z",`+
		`"updated_at":"2026-03-02T09:14:51Z","generated_timestamp":%[3]d,"type":"incident","subject":"Order %[4]d did not arrive",`+
		`"raw_subject":"Order %[4]d did not arrive","description":"%[5]s","priority":"normal","status":"open","recipient":null,`+
		`"requester_id":%[6]d,"submitter_id":%[6]d,"assignee_id":null,"organization_id":null,"group_id":36000125,`+
		`"collaborator_ids":[],"follower_ids":[],"email_cc_ids":[],"problem_id":null,"has_incidents":false,"is_public":true,`+
		`"due_at":null,"tags":["web","order_%[4]d"],"custom_fields":[{"id":360001234567,"value":null},`+
		`{"id":360001234568,"value":"blue"}],"satisfaction_rating":{"score":"unoffered"},"allow_channelback":false}`,
		origin, id, 1772400000+id*7919, id*31, text.String(), 370000000000+id*7717)
}

// listing writes a page of tickets with links to the pages beside it.
func listing(origin string, tickets, length int) string {
	var all []string
	for id := range tickets {
		all = append(all, ticket(origin, id+1, length))
	}
	return fmt.Sprintf(`{"tickets":[%s],"next_page":"%[2]s/api/v2/tickets.json?page=3","previous_page":"%[2]s/api/v2/tickets.json?page=1","count":12345}`,
		strings.Join(all, ","), origin)
}

func zip(text string) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(text)) // a buffer takes everything
	_ = w.Close()
	return packed.Bytes()
}
