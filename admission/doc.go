// Package admission is the layer that lets sends go: it asks package budget
// whether a send may go now, keeps those that may not in package queue, and
// tells the budget what came back. It is the only room that waits for leave.
//
// Reach for [New], then [Controller.Layer]. Decisions are the budget's; this
// room holds the lock, the timer and the waiting goroutines, and never does
// I/O under the lock.
package admission
