package disk_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/cache/cachetest"
	"github.com/flyballhq/flyball/cache/disk"
)

func open(t *testing.T, size int64) cache.Store {
	return openAt(t, filepath.Join(t.TempDir(), "cache"), size)
}

func openAt(t *testing.T, path string, size int64) *disk.Store {
	t.Helper()
	s, err := disk.Open(disk.Options{Path: path, Size: size})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func closed(t *testing.T, s *disk.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func has(t *testing.T, s *disk.Store, n int) bool {
	t.Helper()
	e, err := s.Get(cachetest.Key(n))
	if err != nil {
		t.Fatal(err)
	}
	return e != nil && string(e.Body) == string(cachetest.BodyOf(e.Key, 300))
}

func page(n int) *cache.Entry {
	return cachetest.Entry(cachetest.Key(n), 300, fmt.Sprint("tickets/", n), "tickets")
}

func TestStore(t *testing.T) { cachetest.Run(t, open) }

func TestEntriesSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	s := openAt(t, path, 0)
	for n := range 100 {
		if err := s.Put(page(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Drop("tickets/7"); err != nil {
		t.Fatal(err)
	}
	held := s.Bytes()
	closed(t, s)
	s = openAt(t, path, 0)
	for n := range 100 {
		if has(t, s, n) != (n != 7) {
			t.Errorf("after a restart page %d is there: %t", n, n == 7)
		}
	}
	if s.Bytes() != held-held/100 && s.Bytes() <= 0 {
		t.Errorf("%d bytes held after a restart", s.Bytes())
	}
	if err := s.Drop("tickets"); err != nil || has(t, s, 1) || s.Bytes() != 0 {
		t.Errorf("tags are lost with a restart: %v, %d bytes held", err, s.Bytes())
	}
}

// What was dropped is gone from the file as it lies on the disk at that
// moment: the process may die right after.
func TestADropIsOnTheDiskWhenItReturns(t *testing.T) {
	folder := t.TempDir()
	s := openAt(t, filepath.Join(folder, "cache"), 0)
	_ = s.Put(page(1))
	_ = s.Put(page(2))
	if err := s.Drop("tickets/1"); err != nil {
		t.Fatal(err)
	}
	image, err := os.ReadFile(filepath.Join(folder, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "copy"), image, 0o600); err != nil {
		t.Fatal(err)
	}
	after := openAt(t, filepath.Join(folder, "copy"), 0)
	if has(t, after, 1) || !has(t, after, 2) {
		t.Errorf("after dying there are page 1: %t, page 2: %t; want the second alone", has(t, after, 1), has(t, after, 2))
	}
}

func TestTheOldestGoFirst(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "cache"), 100<<10)
	for n := range 500 {
		if err := s.Put(page(n)); err != nil {
			t.Fatal(err)
		}
		if n%20 == 0 {
			_ = s.Drop("nothing")
		}
	}
	_ = s.Drop("nothing")
	if has(t, s, 0) || !has(t, s, 499) || s.Bytes() > 100<<10 {
		t.Errorf("first there: %t, last there: %t, %d bytes", has(t, s, 0), has(t, s, 499), s.Bytes())
	}
}

func TestWhatIsPastItsTimeLeavesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	s := openAt(t, path, 0)
	brief := page(1)
	brief.Until = time.Now().Add(50 * time.Millisecond)
	_ = s.Put(brief)
	_ = s.Put(page(2))
	closed(t, s)
	for time.Now().Before(brief.Until) {
		runtime.Gosched()
	}
	s = openAt(t, path, 0)
	if has(t, s, 1) || !has(t, s, 2) {
		t.Errorf("there are page 1, past its time: %t, page 2: %t", has(t, s, 1), has(t, s, 2))
	}
}

func TestTheFileIsBounded(t *testing.T) {
	const size = 4 << 20
	path := filepath.Join(t.TempDir(), "cache")
	s := openAt(t, path, size)
	for n := range 20_000 {
		e := cachetest.Entry(cachetest.Key(n), 100+n%4000, fmt.Sprint("tickets/", n))
		for s.Put(e) != nil {
			_ = s.Drop("nothing") // wait for the disk
		}
	}
	if err := s.Drop("nothing"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > 2*size+32<<20 || s.Bytes() > size || s.Bytes() < size/2 {
		t.Errorf("the file has %d bytes, %d of entries; the store's bound is %d", info.Size(), s.Bytes(), size)
	}
}

func TestOnlyItsOwnerMayReadTheFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	path := filepath.Join(t.TempDir(), "cache")
	closed(t, openAt(t, path, 0))
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	closed(t, openAt(t, path, 0))
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
}

// damagedFiles are files that cannot be a cache, each from a good one.
var damagedFiles = map[string]func(good []byte) []byte{
	"text":              func([]byte) []byte { return []byte(strings.Repeat("not a cache\n", 2000)) },
	"a few bytes":       func([]byte) []byte { return []byte("x") },
	"cut in the middle": func(good []byte) []byte { return good[:len(good)/3] },
	"zeros in the middle": func(good []byte) []byte {
		for i := 3 * 4096; i < len(good); i++ {
			good[i] = 0
		}
		return good
	},
	"noise in the middle": func(good []byte) []byte {
		for i := 3 * 4096; i < len(good); i++ {
			good[i] = byte(i * 7)
		}
		return good
	},
	"another's database": func([]byte) []byte { return nil },
}

func TestADamagedFileIsAnErrorWithTheWayOut(t *testing.T) {
	for name, damage := range damagedFiles {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cache")
			s := openAt(t, path, 0)
			for n := range 300 {
				_ = s.Put(page(n))
			}
			closed(t, s)
			good, _ := os.ReadFile(path)
			bad := damage(good)
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			if bad == nil {
				foreign(t, path)
			}
			before, _ := os.ReadFile(path)
			_, err := disk.Open(disk.Options{Path: path})
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "name another") {
				t.Errorf("got %v, want an error that names the file and the way out", err)
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("the file was changed")
			}
		})
	}
}

func foreign(t *testing.T, path string) {
	t.Helper()
	_ = os.Remove(path)
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("invoices")); return err })
	_ = db.Close()
}

func TestAFileInUseIsAnErrorWithTheWayOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	openAt(t, path, 0)
	if _, err := disk.Open(disk.Options{Path: path}); err == nil || !strings.Contains(err.Error(), "another process has it open") {
		t.Errorf("got %v, want an error that says who has the file", err)
	}
}

func TestOpenSaysWhatIsWrongWithItsOptions(t *testing.T) {
	for want, o := range map[string]disk.Options{
		"Path":         {},
		"Size":         {Path: "x", Size: -1},
		"name a file":  {Path: filepath.Join(t.TempDir(), "no", "such", "folder")},
		"name another": {Path: t.TempDir()},
	} {
		if _, err := disk.Open(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", o, err, want)
		}
	}
}

// A file cut off under the store faults when it is read. The store says so,
// gives nothing that may be wrong, and has a file again a second later.
func TestABrokenStoreFailsAndThenMakesItsFileAnew(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not let an open file be cut")
	}
	path := filepath.Join(t.TempDir(), "cache")
	s := openAt(t, path, 0)
	for n := range 300 {
		_ = s.Put(page(n))
	}
	_ = s.Drop("nothing") // all is written
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	if e, err := s.Get(cachetest.Key(1)); err == nil || e != nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("got %v and %v from a file that is gone, want an error that names it", e, err)
	}
	end := time.After(20 * time.Second)
	for tick := time.Tick(20 * time.Millisecond); s.Put(page(1)) != nil; {
		select {
		case <-end:
			t.Fatal("the store is still broken")
		case <-tick:
		}
	}
	if err := s.Drop("nothing"); err != nil || !has(t, s, 1) || has(t, s, 2) {
		t.Errorf("made anew it has page 1: %t, page 2: %t (%v)", has(t, s, 1), has(t, s, 2), err)
	}
	closed(t, s)
	if after := openAt(t, path, 0); !has(t, after, 1) {
		t.Error("the file made anew is not kept")
	}
}

func BenchmarkGet(b *testing.B) {
	s, _ := disk.Open(disk.Options{Path: filepath.Join(b.TempDir(), "cache")})
	defer s.Close()
	_ = s.Put(cachetest.Entry(cachetest.Key(1), 2048))
	_ = s.Drop("nothing")
	key := cachetest.Key(1)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = s.Get(key)
	}
}

func BenchmarkPut(b *testing.B) {
	s, _ := disk.Open(disk.Options{Path: filepath.Join(b.TempDir(), "cache")})
	defer s.Close()
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		for s.Put(cachetest.Entry(cachetest.Key(n), 2048, fmt.Sprint("tickets/", n))) != nil {
			_ = s.Drop("nothing")
		}
	}
}
