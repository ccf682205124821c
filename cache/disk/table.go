package disk

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"go.etcd.io/bbolt"

	"github.com/flyballhq/flyball/cache"
)

// The buckets of the file. An entry has a number, the order in which it was
// stored, and its record stands under it. The other buckets find the number by
// the key's hash, by a tag's hash and by when the entry's time is over.
var (
	inEntries = []byte("entries") // number: record
	inKeys    = []byte("keys")    // hash of the key: number
	inTags    = []byte("tags")    // hash of the tag, number: nothing
	inTimes   = []byte("times")   // end of time, number: nothing
	inMeta    = []byte("flyball cache")

	layoutKey, heldKey = []byte("layout"), []byte("held")
	layout             = []byte("1")
)

var errForeign = errors.New("the file is no cache of flyball's")

// ours fails when the file is somebody else's.
func ours(tx *bbolt.Tx) error {
	first, _ := tx.Cursor().First()
	if first != nil && tx.Bucket(inMeta) == nil {
		return errForeign
	}
	return nil
}

// makeTables makes what is missing, and all of it where another version of
// flyball has left another layout.
func makeTables(tx *bbolt.Tx) error {
	if err := ours(tx); err != nil {
		return err
	}
	meta := tx.Bucket(inMeta)
	fresh := meta == nil || !bytes.Equal(meta.Get(layoutKey), layout)
	for _, name := range [][]byte{inEntries, inKeys, inTags, inTimes, inMeta} {
		if fresh && tx.Bucket(name) != nil {
			if err := tx.DeleteBucket(name); err != nil {
				return err
			}
		}
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return tx.Bucket(inMeta).Put(layoutKey, layout)
}

// A table is the buckets within one transaction.
type table struct {
	entries, keys, tags, times, meta *bbolt.Bucket
	held                             int64 // bytes of entries
}

func tableOf(tx *bbolt.Tx) *table {
	t := &table{
		entries: tx.Bucket(inEntries), keys: tx.Bucket(inKeys), tags: tx.Bucket(inTags),
		times: tx.Bucket(inTimes), meta: tx.Bucket(inMeta),
	}
	// Numbers only grow, so the last page may be filled whole.
	t.entries.FillPercent = 1
	if held := t.meta.Get(heldKey); len(held) == 8 {
		t.held = int64(binary.BigEndian.Uint64(held))
	}
	return t
}

// close writes down how much is held.
func (t *table) close() error {
	return t.meta.Put(heldKey, binary.BigEndian.AppendUint64(nil, uint64(t.held)))
}

func (t *table) get(key string) (*cache.Entry, error) {
	hash := sha256.Sum256([]byte(key))
	number := t.keys.Get(hash[:])
	if number == nil {
		return nil, nil
	}
	e, err := decode(t.entries.Get(number))
	if err != nil || e.Key != key {
		return nil, err
	}
	return e, nil
}

// apply makes the changes in order, then room.
func (t *table) apply(changes []change, size int64, now time.Time) (changed bool, err error) {
	for _, c := range changes {
		did := false
		switch {
		case c.dropped != nil:
			did, err = t.drop(c.tags)
		case c.entry == nil:
			did, err = t.removeKey(c.key)
		default:
			did, err = true, t.put(c.entry)
		}
		if err != nil {
			return changed, err
		}
		changed = changed || did
	}
	did, err := t.fit(size, now)
	return changed || did, err
}

func (t *table) put(e *cache.Entry) error {
	if _, err := t.removeKey(e.Key); err != nil {
		return err
	}
	n, err := t.entries.NextSequence()
	if err != nil {
		return err
	}
	number := binary.BigEndian.AppendUint64(nil, n)
	t.held += e.Size()
	hash := sha256.Sum256([]byte(e.Key))
	err = errors.Join(t.entries.Put(number, encode(e)), t.keys.Put(hash[:], number), t.times.Put(timeRow(e, number), nil))
	for _, tag := range e.Tags {
		err = errors.Join(err, t.tags.Put(tagRow(tag, number), nil))
	}
	return err
}

func (t *table) remove(number []byte) error {
	record := t.entries.Get(number)
	if record == nil {
		return nil
	}
	e, err := decode(record)
	if err != nil {
		return err
	}
	number = bytes.Clone(number)
	t.held -= e.Size()
	hash := sha256.Sum256([]byte(e.Key))
	err = errors.Join(t.keys.Delete(hash[:]), t.times.Delete(timeRow(e, number)))
	for _, tag := range e.Tags {
		err = errors.Join(err, t.tags.Delete(tagRow(tag, number)))
	}
	return errors.Join(err, t.entries.Delete(number))
}

func (t *table) removeKey(key string) (bool, error) {
	hash := sha256.Sum256([]byte(key))
	number := t.keys.Get(hash[:])
	if number == nil {
		return false, nil
	}
	return true, t.remove(number)
}

func (t *table) drop(tags []string) (changed bool, err error) {
	for _, tag := range tags {
		prefix := tagRow(tag, nil)
		var numbers [][]byte // first, for a cursor does not bear deleting
		for c, row := t.seek(prefix); row != nil && bytes.HasPrefix(row, prefix); row, _ = c.Next() {
			numbers = append(numbers, bytes.Clone(row[len(prefix):]))
		}
		for _, number := range numbers {
			if err := t.remove(number); err != nil {
				return changed, err
			}
			changed = true
		}
	}
	return changed, nil
}

func (t *table) seek(prefix []byte) (*bbolt.Cursor, []byte) {
	c := t.tags.Cursor()
	row, _ := c.Seek(prefix)
	return c, row
}

// fit takes out what is past its time, then what was stored first, until the
// rest fits.
func (t *table) fit(size int64, now time.Time) (changed bool, err error) {
	for range sweepMost {
		row, _ := t.times.Cursor().First()
		if len(row) != 16 || int64(binary.BigEndian.Uint64(row)) > now.UnixNano() {
			break
		}
		if err := t.remove(row[8:]); err != nil {
			return changed, err
		}
		changed = true
	}
	for t.held > size {
		number, _ := t.entries.Cursor().First()
		if number == nil {
			break
		}
		if err := t.remove(number); err != nil {
			return changed, err
		}
		changed = true
	}
	return changed, nil
}

// timeRow sorts by when the entry's time is over; a time before 1970 counts as
// that.
func timeRow(e *cache.Entry, number []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(max(0, e.Until.UnixNano()))), number...)
}

func tagRow(tag string, number []byte) []byte {
	hash := sha256.Sum256([]byte(tag))
	return append(hash[:16:16], number...)
}
