// Package links keeps a client that pages through Zendesk on the gateway.
//
// Zendesk writes its page links as absolute addresses of its own host, in JSON
// bodies and in the headers Link and Location. A client that follows one leaves
// the gateway and its limits. A [Rewriter] replaces the origin of those links,
// and only of those, while the answer streams past: every other byte stays as
// it came, because a client may send back what it read.
//
// Start with [New] and [Rewriter.Response].
package links
