// Package disk keeps the cache's entries in one file, so that they survive a
// restart.
//
// The file holds what Zendesk answered, whole: tickets, names, addresses,
// whatever the cached routes return, and for each answer its URL and the hash
// of the credential that asked. It is not encrypted. It is readable by its
// owner alone (mode 0600), bounded in size, and holds no credential. What is
// dropped or past its time can no longer be got, but its bytes stay in the
// file's free space until something else is written there. Deleting the file
// while nothing has it open loses nothing but the cache.
package disk
