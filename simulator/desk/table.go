package desk

import (
	"cmp"
	"slices"
)

// row is a record in a table.
type row interface {
	key() uint64
	// append adds the record's JSON with links to the origin.
	append(b []byte, origin string) []byte
}

// table holds records by id, and in the order of their ids.
type table[T row] struct {
	rows   map[uint64]T
	sorted []T
}

func (t *table[T]) get(id uint64) (T, bool) {
	r, ok := t.rows[id]
	return r, ok
}

func (t *table[T]) put(r T) {
	if t.rows == nil {
		t.rows = map[uint64]T{}
	}
	i, found := t.search(r.key())
	t.rows[r.key()] = r
	if found {
		t.sorted[i] = r
		return
	}
	t.sorted = slices.Insert(t.sorted, i, r)
}

func (t *table[T]) drop(id uint64) {
	if i, found := t.search(id); found {
		delete(t.rows, id)
		t.sorted = slices.Delete(t.sorted, i, i+1)
	}
}

func (t *table[T]) search(id uint64) (int, bool) {
	if n := len(t.sorted); n == 0 || t.sorted[n-1].key() < id {
		return n, false // the usual put: the newest
	}
	return slices.BinarySearchFunc(t.sorted, id, func(r T, id uint64) int { return cmp.Compare(r.key(), id) })
}

// pick returns the records with these ids that exist, each once, in the order
// of their ids.
func (t *table[T]) pick(ids []uint64) []T {
	var list []T
	for _, id := range sortedSet(ids) {
		if r, ok := t.rows[id]; ok {
			list = append(list, r)
		}
	}
	return list
}

func sortedSet(ids []uint64) []uint64 {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// cached is a record's JSON but for the origin of its url, kept until the
// record changes.
type cached struct{ tail []byte }

func (c *cached) forget() { c.tail = nil }

// append adds the record with its url first. The path leads to the record;
// make encodes everything but the url.
func (c *cached) append(b []byte, origin string, make func() (path string, object []byte)) []byte {
	if c.tail == nil {
		path, object := make()
		c.tail = quote(nil, path+".json")[1:]
		c.tail = append(c.tail, ',')
		c.tail = append(c.tail, object[1:]...)
	}
	b = append(b, `{"url":`...)
	b = quote(b, origin)
	b = b[:len(b)-1] // the path goes on inside the quotes
	return append(b, c.tail...)
}

// appendRows adds "name":[rows].
func appendRows[T row](b []byte, name, origin string, rows []T) []byte {
	b = append(b, '"')
	b = append(b, name...)
	b = append(b, `":[`...)
	for i, r := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = r.append(b, origin)
	}
	return append(b, ']')
}

// single is {"name":row}.
func single[T row](name, origin string, r T) []byte {
	b := append(make([]byte, 0, 2048), `{"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	b = r.append(b, origin)
	return append(b, '}')
}
