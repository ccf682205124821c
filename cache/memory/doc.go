// Package memory keeps the cache's entries in the process's memory, bounded by
// bytes. What is used often and lately stays.
package memory
