// Package elide is the layer that leaves out writes which change nothing: a
// PUT whose every field says what the object said when it was last seen, a
// short while ago, is answered with that object and not sent.
//
// What an object is, the layer learns from the answers to reads and writes of
// that object alone, by the same credential. Any other write through it that
// may have changed the object, and one that is under way, makes it forget.
// What others change it does not see: [Options.Within] bounds for how long it
// believes what it saw.
package elide
