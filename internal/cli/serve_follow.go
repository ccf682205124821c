package cli

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/flyballhq/flyball/config"
)

// hangups takes SIGHUP until forget is called: from the start to the end of a
// gateway that has something to read again or to open anew, so that it ends no
// such process that is still starting, or writes what is left. It is left alone
// where there is neither: it ends a gateway whose terminal is closed.
func hangups(live *config.Live) (signals <-chan os.Signal, forget func()) {
	if live.File() == "" && live.Config().AccessLog.File == "" {
		return nil, func() {}
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// follow keeps the configuration up to date until ctx ends, and returns what
// waits for that. Each of signals has the configuration read again, and the
// access log opened anew (reopen, nil without one).
func follow(ctx context.Context, live *config.Live, signals <-chan os.Signal, reopen func(), log *slog.Logger) (wait func()) {
	if signals == nil {
		return func() {}
	}
	rereads := make(chan os.Signal, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if live.File() != "" {
			live.Follow(ctx, rereads, log)
		}
	}()
	passed := make(chan struct{})
	go func() {
		defer close(passed)
		for {
			select {
			case <-ctx.Done():
				return
			case s := <-signals:
				if reopen != nil {
					reopen()
				}
				select {
				case rereads <- s:
				default: // one is waiting to be taken, or nobody follows
				}
			}
		}
	}()
	return func() {
		<-ended
		<-passed
	}
}
