// Package admin serves what flyball knows to its operator: every bucket of the
// account at /api/limits, and whether the process is alive and takes calls.
//
// Reach for [New] first, and for [CheckAddress] before listening: what is shown
// here names clients and counts calls, so it stays on this machine or behind a
// token. The package keeps no state; what it shows comes from the transport's
// snapshot.
package admin
