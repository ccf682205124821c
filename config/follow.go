package config

import (
	"context"
	"errors"
	"log/slog"
	"os"
)

// Follow keeps the configuration up to date until ctx ends: it reads the file
// again when it changes and for each signal in hangups, and logs what came of
// it. A command gives it SIGHUP. Without a file it says so to each signal.
func (l *Live) Follow(ctx context.Context, hangups <-chan os.Signal, log *slog.Logger) {
	tell := func(change Change, err error) { logChange(log, l.source.File, change, err) }
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		if l.source.File == "" {
			return
		}
		if err := l.Watch(ctx, tell); err != nil {
			log.Warn("the configuration is not watched", "why", err.Error())
		}
	}()
	for {
		select {
		case <-ctx.Done():
			<-watching
			return
		case <-hangups:
			tell(l.Reload())
		}
	}
}

// logChange writes one line for a configuration that was read, and one for
// each mistake in one that was refused.
func logChange(log *slog.Logger, file string, change Change, err error) {
	var mistakes Mistakes
	switch {
	case errors.As(err, &mistakes):
		for _, m := range mistakes[:min(len(mistakes), 20)] {
			log.Error("mistake in the configuration", "why", m.Error())
		}
		log.Error("configuration refused; the old one stays in force", "file", file, "mistakes", len(mistakes))
	case err != nil:
		log.Error("configuration refused; the old one stays in force", "file", file, "why", err.Error())
	default:
		log.Info("configuration read again", "file", file, "result", change.String())
	}
}
