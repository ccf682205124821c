package cli

import (
	"log/slog"

	"github.com/lmittmann/tint"
)

// newLogger returns a logger on standard error: format is text, json, or ""
// for text on a terminal and json elsewhere.
func newLogger(s Streams, format string) (*slog.Logger, error) {
	if format == "" {
		format = "json"
		if isTerminal(s.Err) {
			format = "text"
		}
	}
	switch format {
	case "json":
		return slog.New(slog.NewJSONHandler(s.Err, nil)), nil
	case "text":
		return slog.New(tint.NewTextHandler(s.Err, &tint.Options{
			TimeFormat: "15:04:05",
			NoColor:    !isTerminal(s.Err) || s.Env("NO_COLOR") != "",
		})), nil
	}
	return nil, wrongf("--log-format %q is neither text nor json", format)
}
