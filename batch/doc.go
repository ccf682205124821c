// Package batch is the layer that merges calls: single reads of many objects
// become one read for many, whose answer is taken apart again; single writes
// become one background job, of which each caller gets the outcome of its own
// item.
//
// Calls gather by key ([keyOf]): what one send can answer. The rule adapts
// like Nagle's. A call that finds nobody of its key on the way goes at once,
// alone. Otherwise it gathers with others until the group is full, a short
// window ends, or nobody is on the way any more; a group whose send is held
// takes in siblings until it has leave ([limit.Call.Seal]). So a lone call
// never waits, none waits longer than the window while there is budget, and
// under pressure groups grow to the full hundred.
//
// [Merger] is the layer; a [merging] is one way to merge, such as [reads]. To
// add one, give [Merger.merging] a case for it: everything else, the key, the
// joining, the leaving, the failures of a leader, is the group's ([group]). A
// merging lives as long as its group; [merging.finish] runs on the group's
// goroutine, may make more sends of its own under ctx, and sets the outcome of
// each member; a member's zero outcome sends its call alone.
//
// A write's life is longer: [writes] asks for the job, the [poller] of its
// credential watches it beside all others, the provider says what became of
// each item ([limit.BulkWriter.Outcomes]), and the objects are read back. An
// [order] keeps two writes to one object from overtaking each other meanwhile.
package batch
