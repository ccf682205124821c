// Package simulator is a Zendesk account made of software: its limits, its
// headers, its refusals, its faults and a desk of tickets, users and
// organizations to work on.
//
// It runs on a socket ([Simulator.ServeHTTP]) or, inside a testing/synctest
// bubble, as an http.RoundTripper in virtual time ([Simulator.RoundTripper]).
// Both run the same handler. [Simulator.Ledger] tells afterwards what reached
// the account, recounted from a raw log of what arrived and never from the
// limiter's own counters, so that it can judge a governor and the simulator
// itself.
//
// The package is written from the published and recorded facts about Zendesk a
// second time and shares no header name, limit or parser with the rooms it
// judges. Codes in square brackets such as [RL] or [ZP] name those sources, as
// listed in zendesk-facts.
//
// The same seed and the same arrivals give the same run.
package simulator
