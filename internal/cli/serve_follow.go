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
// waits for that. SIGHUP is left alone where there is no file to read again:
// it ends a gateway whose terminal is closed.
func follow(ctx context.Context, live *config.Live, log *slog.Logger) (wait func()) {
	if live.File() == "" {
		return func() {}
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		live.Follow(ctx, hangups, log)
	}()
	return func() {
		<-ended
		signal.Stop(hangups)
	}
}
