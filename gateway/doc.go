// Package gateway is flyball for every language: a reverse proxy in front of
// one account, whose sends all go through one governed transport.
//
// Reach for [New] and [Gateway.Serve] first. The gateway reads who calls, how
// urgent the call is and how long it may wait, hands the call to the
// transport, and streams the answer back as it came: only links to the next
// page are turned towards the gateway, and a wait that does not fit becomes a
// refusal that clients can act on. Limits, waiting and sending again are left
// to the transport.
package gateway
