package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A tab is a page in a real Chromium.
type tab struct {
	ctx context.Context

	mu       sync.Mutex
	messages []chromedp.ConsoleMessage // what the console shows
}

// keys that press knows.
const (
	arrowLeft  = kb.ArrowLeft
	arrowRight = kb.ArrowRight
	homeKey    = kb.Home
	endKey     = kb.End
)

// newTab opens an empty tab in a Chromium of its own, without a profile, with
// what a test wants besides. Where there is none the test is skipped.
func newTab(t *testing.T, more ...chromedp.ExecAllocatorOption) *tab {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		missing(t, "no Chromium on this machine (Debian: chromium)")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.Flag("lang", "en-US"))
	if os.Getuid() == 0 {
		opts = append(opts, chromedp.NoSandbox) // root has no sandbox
	}
	opts = append(opts, more...)
	base, end := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), opts...)
	ctx, leave := chromedp.NewContext(base)
	ctx, late := context.WithTimeout(ctx, 2*time.Minute)
	p := &tab{ctx: ctx}
	messages := chromedp.Console(ctx)
	listened := make(chan struct{})
	go func() { // ends with the tab
		defer close(listened)
		for m, err := range messages {
			if err != nil {
				return
			}
			p.mu.Lock()
			p.messages = append(p.messages, m)
			p.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		late()
		leave()
		end()
		<-listened
	})
	return p
}

// errs are what the console shows of mistakes, but for those that expected
// names a part of.
func (p *tab) errs(expected ...string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
next:
	for _, m := range p.messages {
		if m.Type != chromedp.ConsoleError && m.Type != chromedp.ConsoleWarning && !m.IsException() {
			continue
		}
		for _, part := range expected {
			if strings.Contains(m.Text, part) {
				continue next
			}
		}
		all = append(all, fmt.Sprintf("%s %s", m.Text, m.URL))
	}
	return all
}

// open goes to an address, in a window of a width.
func (p *tab) open(t *testing.T, url string) {
	t.Helper()
	if err := chromedp.Do(p.ctx, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
}

// look sets how wide the window is, and what the reader prefers: light or dark.
func (p *tab) look(t *testing.T, width int64, scheme string) {
	t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, media)
	if err = errors.Join(err, chromedp.Do(p.ctx, chromedp.EmulateViewport(width, 800))); err != nil {
		t.Fatal(err)
	}
}

// press presses a key.
func (p *tab) press(t *testing.T, key string) {
	t.Helper()
	if err := chromedp.Do(p.ctx, chromedp.KeyEvent(key)); err != nil {
		t.Fatal(err)
	}
}

// eval runs a script in the page and returns what it came to.
func eval[T any](t *testing.T, p *tab, script string) T {
	t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return v
}

// becomes waits until an expression is what is wanted, as text, for at most 20 s.
func (p *tab) becomes(t *testing.T, expression, want string) {
	t.Helper()
	script := fmt.Sprintf(`(async () => {
		let got;
		for (const end = performance.now() + 20000; performance.now() < end; await new Promise((r) => setTimeout(r, 50)))
			if ((got = String(%s)) === %q) break;
		return got;
	})()`, expression, want)
	if got := eval[string](t, p, script); got != want {
		t.Errorf("%s is %q, want %q", expression, got, want)
	}
}

// shoot keeps a picture of the whole page.
func (p *tab) shoot(t *testing.T, dir, name string) {
	t.Helper()
	picture, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600)
	}
	if err != nil {
		t.Error(err)
	}
}
