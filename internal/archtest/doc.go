// Package archtest keeps the shape of the house: which room may import which,
// which rooms stay free of third-party modules, and a few rules that no
// compiler checks (a package comment in each room, no sleeping test outside a
// synctest bubble, no path of somebody's machine in a file).
//
// [Rooms] is the table to read and to extend; a new package fails the test
// until it has its row there. Whether a promise has a test is the business of
// internal/behaviours, not of this package.
package archtest
