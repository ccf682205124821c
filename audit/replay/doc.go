// Package replay makes recorded calls again on a simulated account, in virtual
// time: once as they were, by clients that wait as Retry-After says, and once
// by the same clients through flyball. [Run] is all of it.
//
// What a log does not tell is filled in: ids are those of the simulated
// account, in the order in which they come, and writes without a recorded body
// each say something new.
package replay
