// Package budget decides whether a send may go: it keeps the buckets of one
// account as the server counts them and answers "go" or "not before T,
// because B".
//
// Reach for [Account] first. Everything is a pure function of (state, now,
// input): no clock is read, nothing waits, nothing locks. An Account is not
// safe for concurrent use; package admission owns the lock and the waiting.
//
// Which bucket a request draws on and what an answer says is the business of
// a [limit.Provider].
package budget
