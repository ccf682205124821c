package disk

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/http"
	"time"

	"github.com/flyballhq/flyball/cache"
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	errRecord  = errors.New("the record is damaged")
)

// encode writes an entry as a checksum and its fields in order, each string
// after its length.
func encode(e *cache.Entry) []byte {
	b := make([]byte, 4, e.Size())
	b = appendString(b, e.Key)
	b = appendStrings(b, e.Tags)
	b = appendHeader(b, e.Vary)
	b = binary.AppendVarint(b, int64(e.Status))
	b = appendHeader(b, e.Header)
	b = appendTime(b, e.Stored)
	b = binary.AppendVarint(b, int64(e.Age))
	b = appendTime(b, e.Until)
	b = append(b, e.Body...)
	binary.BigEndian.PutUint32(b, crc32.Checksum(b[4:], castagnoli))
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendStrings(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendString(b, s)
	}
	return b
}

func appendHeader(b []byte, h http.Header) []byte {
	b = binary.AppendUvarint(b, uint64(len(h)))
	for name, values := range h {
		b = appendStrings(appendString(b, name), values)
	}
	return b
}

func appendTime(b []byte, t time.Time) []byte {
	text, _ := t.MarshalBinary() // fails for odd zones only, and reads as zero then
	return appendString(b, string(text))
}

// decode reads what encode wrote. The entry has memory of its own.
func decode(record []byte) (*cache.Entry, error) {
	if len(record) < 4 || crc32.Checksum(record[4:], castagnoli) != binary.BigEndian.Uint32(record) {
		return nil, errRecord
	}
	r := reader{rest: record[4:]}
	e := &cache.Entry{Key: r.string(), Tags: r.strings(), Vary: r.header()}
	e.Status = int(r.number())
	e.Header = r.header()
	e.Stored = r.time()
	e.Age = time.Duration(r.number())
	e.Until = r.time()
	if r.bad {
		return nil, errRecord
	}
	if len(r.rest) > 0 {
		e.Body = append([]byte(nil), r.rest...)
	}
	return e, nil
}

// A reader reads a record's fields. Once it has met one that cannot be, it is
// bad, and all that follows is zero.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) fail() { r.rest, r.bad = nil, true }

func (r *reader) number() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// count is a length: of bytes, or of things that take a byte at least.
func (r *reader) count() int {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > uint64(len(r.rest)-n) {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return int(v)
}

func (r *reader) string() string {
	n := r.count()
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}

func (r *reader) strings() []string {
	n := r.count()
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = r.string()
	}
	return list
}

func (r *reader) header() http.Header {
	n := r.count()
	if n == 0 {
		return nil
	}
	h := make(http.Header, n)
	for range n {
		name := r.string()
		h[name] = r.strings()
	}
	return h
}

func (r *reader) time() (t time.Time) {
	if t.UnmarshalBinary([]byte(r.string())) != nil {
		r.fail()
	}
	return t
}
