package usage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// magic begins a history's file and ends with the form's number.
const magic = "flyball usage 1\n"

// saveEvery is how often a history is written to its file, and so what a crash
// loses at most.
const saveEvery = time.Minute

// maxFile bounds what is read of a file.
const maxFile = 256 << 20

// load reads the file that the history is kept in. One that is not there is an
// empty history; one that is not whole is set aside and said.
func (h *History) load() error {
	text, err := readFile(h.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the history of use: %w (check the path and its rights, or leave it out to keep the history in memory only)", err)
	}
	account, rings, err := decode(text)
	if err == nil && account != h.account {
		return fmt.Errorf("the history of use in %s is that of %s, not of %s (name another file for each account)", h.file, account, h.account)
	}
	if err == nil {
		h.restore(rings)
		return nil
	}
	aside := h.file + time.Now().UTC().Format(".bad-20060102-150405")
	if moved := os.Rename(h.file, aside); moved != nil {
		return fmt.Errorf("the history of use in %s is damaged (%w) and cannot be set aside: %w", h.file, err, moved)
	}
	h.log.Warn("the history of use is damaged; it is set aside, and a new one begins", "file", h.file, "aside", aside, "error", err.Error())
	return nil
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s has %d bytes, more than any history of use", path, info.Size())
	}
	return os.ReadFile(path)
}

// Save writes the history to its file, whole or not at all. Without
// [Options].File it does nothing.
func (h *History) Save() error {
	if h.file == "" {
		return nil
	}
	h.saving.Lock()
	defer h.saving.Unlock()
	h.mu.Lock()
	h.gather(time.Now().Unix() + 1)
	text := h.encode()
	h.mu.Unlock()
	if err := replace(h.file, text); err != nil {
		return fmt.Errorf("write the history of use: %w", err)
	}
	return nil
}

// replace puts text in a file's place at once: a crash leaves the old or the
// new.
func replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // for this user alone
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the write's error says more
	}
	return err
}

// encode packs the whole history. The caller holds the lock.
func (h *History) encode() []byte {
	ids := make(map[row]uint64)
	var names []byte
	id := func(r row) uint64 {
		n, ok := ids[r]
		if !ok {
			n = uint64(len(ids))
			ids[r] = n
			names = appendText(append(names, byte(r.kind)), r.name)
		}
		return n
	}
	var steps []byte
	for i := range h.rings {
		r := &h.rings[i]
		steps = binary.AppendUvarint(steps, uint64(len(r.steps)))
		for j := range r.steps {
			s := &r.steps[j]
			steps = binary.AppendVarint(steps, s.start)
			steps = binary.AppendUvarint(steps, uint64(len(s.names)))
			for _, n := range s.names {
				steps = binary.AppendUvarint(steps, id(n.row))
			}
			steps = append(steps, s.data...)
		}
		steps = r.now.encode(steps, id)
	}
	text := appendText([]byte(magic), h.account)
	text = binary.AppendUvarint(text, uint64(len(ids)))
	text = append(append(text, names...), steps...)
	return binary.BigEndian.AppendUint32(text, crc32.ChecksumIEEE(text))
}

// encode packs a step under way; nil is one without rows.
func (o *open) encode(b []byte, id func(row) uint64) []byte {
	if o == nil {
		return append(b, 0, 0)
	}
	b = binary.AppendVarint(b, o.start)
	b = binary.AppendUvarint(b, uint64(len(o.rows)))
	var data []byte
	for r, f := range o.rows {
		b = binary.AppendUvarint(b, id(r))
		data = pack(data, f)
	}
	return append(b, data...)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// A saved step is one as it stands in a file.
type saved struct {
	start int64
	rows  map[row]*Figures
}

// decode unpacks a file: the steps of each ring, the one under way last.
func decode(text []byte) (account string, rings [3][]saved, err error) {
	body, ok := bytes.CutPrefix(text, []byte(magic))
	switch {
	case !ok:
		return "", rings, errors.New("it does not begin as one")
	case len(body) < 4 || crc32.ChecksumIEEE(text[:len(text)-4]) != binary.BigEndian.Uint32(text[len(text)-4:]):
		return "", rings, errors.New("its checksum is wrong")
	}
	d := &decoder{b: body[:len(body)-4]}
	account = d.text()
	var names []row
	for range d.count(2) {
		names = append(names, row{Kind(d.byte()), d.text()})
	}
	for i := range rings {
		for range d.count(2) + 1 {
			rings[i] = append(rings[i], d.step(names))
		}
	}
	if len(d.b) > 0 {
		d.bad = true
	}
	if d.bad {
		return "", rings, errors.New("its content makes no sense")
	}
	return account, rings, nil
}

// A decoder takes values off the front of b. After the first that is not there
// it is bad, and all values are zero.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) fail() { d.bad, d.b = true, nil }

func (d *decoder) take(n int) []byte {
	if n > len(d.b) {
		d.fail()
		return nil
	}
	taken := d.b[:n]
	d.b = d.b[n:]
	return taken
}

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

// count reads how many things follow, of which each takes size bytes at least.
func (d *decoder) count(size int) int {
	n := d.uvarint()
	if n > uint64(len(d.b)/size) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) text() string { return string(d.take(d.count(1))) }

func (d *decoder) step(names []row) saved {
	start, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return saved{}
	}
	d.b = d.b[n:]
	var of []row
	for range d.count(1) {
		id := d.uvarint()
		if id >= uint64(len(names)) || names[id].kind >= kinds {
			d.fail()
			return saved{}
		}
		of = append(of, names[id])
	}
	s := saved{start, make(map[row]*Figures, len(of))}
	for _, r := range of {
		f, held := new(Figures), new(holds)
		rest, err := unpack(d.b, f, held)
		if err != nil {
			d.fail()
			return saved{}
		}
		d.b, s.rows[r] = rest, f
	}
	return s
}

// restore takes over the steps of a file, those that are not too old.
func (h *History) restore(rings [3][]saved) {
	now := time.Now().Unix()
	for i := range h.rings {
		r := &h.rings[i]
		steps := slices.DeleteFunc(rings[i], func(s saved) bool {
			return len(s.rows) == 0 || s.start > now || s.start <= now-int64(r.most)*r.every
		})
		for _, s := range steps {
			h.add(r, s.start, s.rows)
		}
	}
	h.trim()
}
