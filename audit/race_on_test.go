//go:build race

package audit_test

// The race detector makes a test several times slower: the longest do less.
const racing = true
