package usage

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
)

// A Kind says what a row of the history is about.
type Kind uint8

// The kinds of row.
const (
	Total   Kind = iota // the account; its name is ""
	Client              // by client
	Class               // by class
	Service             // by service
	Route               // by kind of call, such as "GET /api/v2/tickets/{id}"
	Bucket              // by bucket, without objects and credentials

	kinds
)

// Other is the name of all that a bound has no room for.
const Other = "(other)"

// rowsOf bounds the names that one closed step tells apart, by kind.
var rowsOf = [kinds]int{Total: 1, Client: 64, Class: 3, Service: 16, Route: 64, Bucket: 32}

// openRows bounds the names of one kind in a step under way.
const openRows = 512

type row struct {
	kind Kind
	name string
}

// An open is a step under way.
type open struct {
	start int64 // Unix seconds
	rows  map[row]*Figures
	n     [kinds]int
}

func newOpen(start int64) *open { return &open{start: start, rows: make(map[row]*Figures)} }

// at returns the figures of a name, or those of [Other].
func (o *open) at(r row) *Figures {
	if f := o.rows[r]; f != nil {
		return f
	}
	if o.n[r.kind] >= openRows && r.name != Other {
		return o.at(row{r.kind, Other})
	}
	f := new(Figures)
	o.rows[r] = f
	o.n[r.kind]++
	return f
}

// fold keeps the busiest names of each kind and adds the rest to [Other].
func (o *open) fold() {
	for kind, most := range rowsOf {
		if o.n[kind] <= most {
			continue
		}
		o.keep(Kind(kind), most-1)
	}
}

// keep adds all but the busiest most names of a kind to [Other].
func (o *open) keep(kind Kind, most int) {
	type sized struct {
		row
		size int64
	}
	var names []sized
	for r, f := range o.rows {
		if r.kind == kind && r.name != Other {
			names = append(names, sized{r, f.size()})
		}
	}
	slices.SortFunc(names, func(a, b sized) int {
		return cmp.Or(-cmp.Compare(a.size, b.size), cmp.Compare(a.name, b.name))
	})
	for _, r := range names[most:] {
		f := o.rows[r.row]
		delete(o.rows, r.row)
		o.n[kind]--
		o.at(row{kind, Other}).Add(f)
	}
}

// A step is a closed one, packed: the row names, and their figures in the same
// order.
type step struct {
	start int64
	names []*name
	data  []byte
}

// A name is kept once, however many steps have it.
type name struct {
	row
	steps int
}

// Bytes that a step and a name take beside their content, measured on 64 bits.
const (
	stepOverhead = 96
	nameOverhead = 112
)

func (s *step) size() int { return stepOverhead + 8*cap(s.names) + cap(s.data) }

// each unpacks the rows one after another. f is valid during the visit.
func (s *step) each(visit func(r row, f *Figures)) error {
	data := s.data
	var f Figures
	var held holds
	for _, n := range s.names {
		f, held = Figures{}, holds{}
		rest, err := unpack(data, &f, &held)
		if err != nil {
			return err
		}
		data = rest
		visit(n.row, &f)
	}
	return nil
}

// pack appends the figures that are not 0, each after its number.
func pack(b []byte, f *Figures) []byte {
	n := 0
	for _, v := range f.n {
		if v != 0 {
			n++
		}
	}
	b = append(b, byte(n))
	for i, v := range f.n {
		if v != 0 {
			b = binary.AppendVarint(append(b, byte(i)), v)
		}
	}
	if f.holds == nil {
		return append(b, 0)
	}
	n = 0
	for _, v := range f.holds {
		if v != 0 {
			n++
		}
	}
	b = append(b, byte(n))
	for i, v := range f.holds {
		if v != 0 {
			b = binary.AppendUvarint(append(b, byte(i)), uint64(v))
		}
	}
	return b
}

var errPacked = errors.New("packed figures are cut short or name a figure that does not exist")

func unpack(b []byte, f *Figures, held *holds) (rest []byte, err error) {
	take := func(most int, set func(i int, b []byte) int) {
		if err != nil || len(b) == 0 {
			err = errPacked
			return
		}
		n := int(b[0])
		b = b[1:]
		for range n {
			if len(b) < 2 || int(b[0]) >= most {
				err = errPacked
				return
			}
			used := set(int(b[0]), b[1:])
			if used <= 0 {
				err = errPacked
				return
			}
			b = b[1+used:]
		}
	}
	take(int(counts), func(i int, b []byte) (n int) {
		f.n[i], n = binary.Varint(b)
		return n
	})
	take(len(held), func(i int, b []byte) int {
		v, n := binary.Uvarint(b)
		held[i] = uint32(v)
		f.holds = held
		return n
	})
	return b, err
}
