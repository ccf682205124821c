// Package retry is the layer that decides what is sent again, and when.
//
// Reach for [New] first. A refusal (429) is always sent again: the server did
// not do the work, and the layer below, admission, holds the repeat until the
// pause is over. So this package never sleeps for a refusal. After a fault
// (500, 502, 503, 504, a connection cut before the answer) only what can be
// done twice without harm is sent again, a little later, within a retry
// budget. Giving up hands back the server's own last answer, whole.
//
// Request bodies are spooled (spool.go) so that every attempt sends the same
// bytes. What may be sent at which moment is left to admission; what a
// refusal says is left to the [limit.Provider].
package retry
