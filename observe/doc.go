// Package observe watches one account's calls pass and says what governing
// them would have done: which it would have held, for what and how long, which
// it would have refused, merged or answered without a send.
//
// Reach for [New] first. The [Observer] is a transport: each request goes over
// its base as it is, at once. Beside it goes a trial: the same call through the
// real governed transport, with the same limits, classes and patience, over a
// base that sends nothing. When the trial has leave it gets the answer that
// the real call got, with the limit headers put as they would read had all
// calls been governed. The body of a write that could be merged or left out is
// copied as the base reads it, and the trial has it once it was read whole; what
// governing would send in place of many is answered out of what the many were
// really answered. Nothing on the wire waits for a trial.
package observe
