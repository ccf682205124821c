package queue

import "math"

// A Fair shares out sends between clients by start-time fair queueing: each
// call gets a tag, and the smallest tag goes first. A client that has waited
// goes before one that has had its share. The zero value has seen nobody.
type Fair struct {
	virtual float64 // the tag served last
}

// A Share is one client's part in a [Fair]. The zero value is a newcomer's.
type Share struct {
	finish float64 // where its next tag begins
}

// Tag returns the tag of one more call of the share's client, which has weight
// of the total; a weight of 0 is 1.
func (f *Fair) Tag(s *Share, weight float64) float64 {
	tag := max(f.virtual, s.finish)
	s.finish = tag + 1/positive(weight)
	return tag
}

// Return takes back the last tag of a client whose call left unsent.
func (f *Fair) Return(s *Share, weight float64) {
	s.finish = max(f.virtual, s.finish-1/positive(weight))
}

// Ahead is how many calls of the same client have smaller tags than this one
// and have not been served.
func (f *Fair) Ahead(tag, weight float64) int {
	return int(max(0, min(tag-f.virtual, 1e9)) * positive(weight))
}

// Served notes that a call with this tag was sent.
func (f *Fair) Served(tag float64) { f.virtual = max(f.virtual, tag) }

// New reports whether a share says no more than a newcomer's: it may be
// forgotten.
func (f *Fair) New(s *Share) bool { return s.finish <= f.virtual }

func positive(weight float64) float64 {
	if weight <= 0 || math.IsNaN(weight) {
		return 1
	}
	return weight
}
