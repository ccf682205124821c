// Package watch draws an account's use by minute from a few answers a minute,
// and finds the spikes that repeat and the tokens that were last used in them.
//
// It is pure: it has no clock, no network and no goroutine. Its owner asks
// [Watch.Next] what to ask for and when, makes the call, and tells what came
// of it. What it can know is bounded by what the account tells: how much of
// the limit is left, and when each token was last used. [Report.Blind] says in
// plain words what follows.
//
// Minutes are the account's own: windows of its counter, which begin at
// multiples of the window on the account's clock. How far that clock is from
// ours is learned from the resets that answers state.
package watch
