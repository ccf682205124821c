// Package admin serves what flyball knows to its operator: every bucket of the
// account at /api/limits, who used it and why calls waited at /api/usage,
// /api/clients and /api/calls, what happens as it happens at /api/events, and
// whether the process is alive and takes calls.
//
// Reach for [New] first, and for [CheckAddress] before listening: what is shown
// here names clients and counts calls, so it stays on this machine or behind a
// token. What it shows comes from the transport's snapshot and from a
// usage.History; of its own it has only the readers of its [Events].
package admin
