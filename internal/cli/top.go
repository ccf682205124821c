package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/flyballhq/flyball/admin"
)

// topFlags are the flags of flyball top as they were written.
type topFlags struct {
	admin string
	once  bool
}

func newTop(s Streams) *cobra.Command {
	var f topFlags
	cmd := &cobra.Command{
		Use:   "top [flags]",
		Short: "Watch an account in the terminal: its limits, who waits, and why",
		Long: `Watch what a gateway does: each limit with what we and others used of it and the
time to its reset, who waits for what, the sends of the last minute, 429s, and
what was saved. It asks the gateway's admin address once a second, with the
token in FLYBALL_ADMIN_TOKEN if that is set, and goes on when the gateway is
started again.

q or Ctrl-C ends it and leaves the terminal as it was. Where its output is not a
terminal, it is printed once as plain text.`,
		Example: `  flyball top
  flyball top --once
  flyball top --admin 127.0.0.1:4291`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, err := newAdminClient(s, f.admin)
			if err != nil {
				return err
			}
			if f.once || !isTerminal(s.Out) {
				return topOnce(cmd.Context(), s, from)
			}
			return topLive(cmd.Context(), s, from)
		},
		Annotations: exits("shown, until it was told to end", "nobody answered, or the answer was no", "wrong call"),
	}
	cmd.Flags().StringVar(&f.admin, "admin", "", "`HOST:PORT`: the gateway's admin address (default $FLYBALL_ADMIN, else "+defaultAdmin+")")
	cmd.Flags().BoolVar(&f.once, "once", false, "print it once, as plain text, and end (default false)")
	return cmd
}

// A topDocs is all that is shown at one instant.
type topDocs struct {
	limits admin.Limits
	calls  admin.Calls
	usage  admin.Usage
	shares admin.Clients
}

func (from *adminClient) top(ctx context.Context) (d topDocs, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for _, page := range []struct {
		path string
		doc  any
	}{
		{"/api/limits", &d.limits},
		{"/api/calls", &d.calls},
		{"/api/usage?window=1m&step=1s", &d.usage},
		{"/api/clients?window=10m&step=1m", &d.shares},
	} {
		if err := from.get(ctx, page.path, page.doc); err != nil {
			return d, err
		}
	}
	return d, nil
}

func topOnce(ctx context.Context, s Streams, from *adminClient) error {
	docs, err := from.top(ctx)
	if err != nil {
		return err
	}
	_, err = io.WriteString(s.Out, topView{width: 120}.draw(&docs))
	return err
}

// What a terminal is told: to show another screen without a cursor, and the
// first one again.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l"
	leaveScreen = "\x1b[?25h\x1b[?1049l"
)

// topLive draws until q, Ctrl-C or the end of ctx.
func topLive(ctx context.Context, s Streams, from *adminClient) error {
	docs, err := from.top(ctx)
	if err != nil {
		return err // before the screen is touched
	}
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	restore, err := readKeys(s.In, quit)
	if err != nil {
		return err
	}
	defer restore()
	fmt.Fprint(s.Out, enterScreen)
	defer fmt.Fprint(s.Out, leaveScreen)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for trouble := error(nil); ; {
		width, height := sizeOf(s.Out)
		view := topView{width: width, color: s.Env("NO_COLOR") == "" && s.Env("TERM") != "dumb", trouble: trouble, keys: true}
		fmt.Fprint(s.Out, screenful(view.draw(&docs), height))
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if fresh, err := from.top(ctx); err == nil {
			docs, trouble = fresh, nil
		} else {
			trouble = err
		}
	}
}

// screenful is text from the screen's upper left corner on, each line and the
// screen cleared behind it. The terminal may be raw: it then wants a return.
func screenful(text string, height int) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return "\x1b[H" + strings.Join(lines[:min(len(lines), height)], "\x1b[K\r\n") + "\x1b[K\x1b[J"
}

// readKeys calls quit at q or Ctrl-C, where in is a terminal, and returns what
// makes it as it was. Its goroutine ends with the process: a read from a
// terminal cannot be called off.
func readKeys(in io.Reader, quit func()) (restore func(), err error) {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func() {}, nil // Ctrl-C comes as a signal
	}
	was, err := term.MakeRaw(int(f.Fd()))
	if err != nil {
		return nil, fmt.Errorf("read keys from the terminal: %w (flyball top --once needs none)", err)
	}
	go func() {
		key := make([]byte, 1)
		for {
			if _, err := f.Read(key); err != nil || key[0] == 'q' || key[0] == 'Q' || key[0] == 3 {
				quit()
				return
			}
		}
	}()
	return func() { _ = term.Restore(int(f.Fd()), was) }, nil
}

// sizeOf is the terminal's size, or a usual one.
func sizeOf(out io.Writer) (width, height int) {
	if f, ok := out.(*os.File); ok {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 0 {
			return w, h
		}
	}
	return 80, 24
}
