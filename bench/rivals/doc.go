// Package rivals puts flyball's transport beside the ways in which Go programs
// commonly keep to a rate limit, in virtual time.
//
// Every policy meets the same simulated account, the same other consumers and
// the same arrivals, seed by seed. What is counted comes from the simulator's
// ledger and from the callers, never from a policy. Each rival's set-up is a
// small file that names the documented use it follows; one limiter is shared by
// all callers of a process, as its documentation has it.
//
// A rival that gives up is not left alone: its callers wait as long as
// Retry-After says (1 s where nothing does) and call again, so every policy does
// all of the work, and each time a caller saw a refusal is counted.
package rivals
