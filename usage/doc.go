// Package usage remembers what an account's calls came to: by second for ten
// minutes, by minute for a day, by hour for thirty days; for the account, and
// for each client, class, service, route and bucket.
//
// Reach for [New] first: its [History.Take] is an event sink, [History.Run]
// keeps the history going, [History.Each] reads it. It holds figures and names
// only, never a path, a body or a credential, in a bounded number of bytes.
package usage
