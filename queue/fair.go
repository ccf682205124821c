package queue

import "math"

// maxClients bounds the clients that a Fair remembers.
const maxClients = 10_000

// A Fair shares out sends between clients by start-time fair queueing: each
// call gets a tag, and the smallest tag goes first. A client that has waited
// goes before one that has had its share. The zero value has seen nobody.
type Fair[C comparable] struct {
	virtual float64       // the tag served last
	finish  map[C]float64 // where each client's next tag begins
}

// Tag returns the tag of one more call of client, which has weight of the
// total; a weight of 0 is 1.
func (f *Fair[C]) Tag(client C, weight float64) float64 {
	if weight <= 0 || math.IsNaN(weight) {
		weight = 1
	}
	if f.finish == nil {
		f.finish = map[C]float64{}
	}
	tag := max(f.virtual, f.finish[client])
	if len(f.finish) >= maxClients {
		f.forget()
	}
	f.finish[client] = tag + 1/weight
	return tag
}

// Return takes back the last tag of a client whose call left unsent.
func (f *Fair[C]) Return(client C, weight float64) {
	if weight <= 0 || math.IsNaN(weight) {
		weight = 1
	}
	if finish, ok := f.finish[client]; ok {
		f.finish[client] = max(f.virtual, finish-1/weight)
	}
}

// Ahead is how many calls of the same client have smaller tags than this one
// and have not been served.
func (f *Fair[C]) Ahead(tag, weight float64) int {
	if weight <= 0 || math.IsNaN(weight) {
		weight = 1
	}
	return int(max(0, min(tag-f.virtual, 1e9)) * weight)
}

// Served notes that a call with this tag was sent.
func (f *Fair[C]) Served(tag float64) { f.virtual = max(f.virtual, tag) }

// forget drops the clients that are owed nothing: a new one starts there too.
func (f *Fair[C]) forget() {
	for client, finish := range f.finish {
		if finish <= f.virtual {
			delete(f.finish, client)
		}
	}
	if len(f.finish) >= maxClients {
		clear(f.finish)
	}
}
