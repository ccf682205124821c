package usage

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A history that has run for a while, and its file.
func keptHistory(t *testing.T) (file string, h *History) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "usage")
	h = newHistory(t, Options{File: file, Account: "acme.zendesk.com"})
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		h.Run(ctx)
	}()
	for i := range 200 {
		call := callOf([]string{"crm", "sync"}[i%2])
		call.Held = time.Duration(i) * time.Second
		ended(h, call)
		time.Sleep(30 * time.Second)
	}
	cancel()
	<-ran
	return file, h
}

// A restart loses nothing, and goes on where it left off.
func TestAHistorySurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file, before := keptHistory(t)
		time.Sleep(3 * time.Second)
		after := newHistory(t, Options{File: file, Account: "acme.zendesk.com"})
		was, _ := sumOf(t, before, time.Hour, time.Minute, Total, "")
		is, _ := sumOf(t, after, time.Hour, time.Minute, Total, "")
		if is.Hold(0.99) != was.Hold(0.99) || was.Hold(0.99) == 0 {
			t.Errorf("p99 %s, want %s", is.Hold(0.99), was.Hold(0.99))
		}
		ended(after, callOf("crm"))
		for _, step := range []time.Duration{time.Second, time.Minute, time.Hour} {
			window := min(24*time.Hour, 600*step)
			was, _ := sumOf(t, before, window, step, Client, "crm")
			is, r := sumOf(t, after, window, step, Client, "crm")
			if is.Of(Calls) != was.Of(Calls)+1 || is.Of(HeldMicros) != was.Of(HeldMicros) {
				t.Errorf("by %s: %d calls, want %d", step, is.Of(Calls), was.Of(Calls)+1)
			}
			if step == time.Hour && time.Since(r.Since) < 100*time.Minute {
				t.Errorf("it begins at %s, after the restart", r.Since)
			}
		}
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file's mode is %v, %v; want it for one user alone", info.Mode(), err)
		}
		left, _ := filepath.Glob(file + "*")
		if len(left) != 1 {
			t.Errorf("%q are left, want the file alone", left)
		}
	})
}

// Wherever a file is cut or changed, that is said, the file is set aside, and
// the history begins anew.
func TestADamagedFileIsSetAsideAndSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file, _ := keptHistory(t)
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(whole); i += 1 + len(whole)/50 {
			changed := bytes.Clone(whole)
			changed[i] ^= 0x10
			for what, text := range map[string][]byte{"cut": whole[:i], "changed": changed} {
				dir := t.TempDir()
				path := filepath.Join(dir, "usage")
				if err := os.WriteFile(path, text, 0o600); err != nil {
					t.Fatal(err)
				}
				var said bytes.Buffer
				h := newHistory(t, Options{File: path, Account: "acme.zendesk.com", Log: slog.New(slog.NewTextHandler(&said, nil))})
				if n := len(h.names); n != 0 {
					t.Errorf("%s at %d: %d names are read", what, i, n)
				}
				if !strings.Contains(said.String(), "set aside") {
					t.Errorf("%s at %d: said %q", what, i, said.String())
				}
				aside, _ := filepath.Glob(path + ".bad-*")
				if len(aside) != 1 {
					t.Errorf("%s at %d: set aside as %q", what, i, aside)
				}
				if err := h.Save(); err != nil {
					t.Errorf("%s at %d: save: %v", what, i, err)
				}
			}
		}
	})
}

func TestAnotherAccountsFileIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file, _ := keptHistory(t)
		before, _ := os.ReadFile(file)
		_, err := New(Options{File: file, Account: "umbrella.zendesk.com"})
		if err == nil || !strings.Contains(err.Error(), "is that of acme.zendesk.com, not of umbrella.zendesk.com") {
			t.Errorf("New = %v", err)
		}
		if after, _ := os.ReadFile(file); !bytes.Equal(before, after) {
			t.Error("the file was changed")
		}
		if _, err := New(Options{File: t.TempDir()}); err == nil {
			t.Error("a folder is read as a file")
		}
	})
}

// A disk that takes nothing is said, and the history goes on.
func TestAFileThatCannotBeWrittenIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		h := newHistory(t, Options{File: filepath.Join(t.TempDir(), "gone", "usage"), Log: slog.New(slog.NewTextHandler(&said, nil))})
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan struct{})
		go func() {
			defer close(ran)
			h.Run(ctx)
		}()
		time.Sleep(2*time.Minute + time.Second)
		cancel()
		<-ran
		if n := strings.Count(said.String(), "is not saved"); n != 3 {
			t.Errorf("said %d times, want 3: %s", n, said.String())
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, body []byte) {
		d := &decoder{b: body}
		names := []row{{Client, "crm"}}
		for len(d.b) > 0 && !d.bad {
			d.step(names)
		}
	})
}
