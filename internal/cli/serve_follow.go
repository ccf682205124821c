package cli

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/flyballhq/flyball/config"
)

// follow keeps the configuration up to date until ctx ends, and returns what
// waits for that. SIGHUP has the configuration read again, and the access log
// opened anew (reopen, nil without one). It is left alone where there is
// neither: it ends a gateway whose terminal is closed.
func follow(ctx context.Context, live *config.Live, reopen func(), log *slog.Logger) (wait func()) {
	if live.File() == "" && reopen == nil {
		return func() {}
	}
	hangups, rereads := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
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
			case s := <-hangups:
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
		signal.Stop(hangups)
	}
}
