package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Streams are what a command reads and writes beside its arguments.
type Streams struct {
	In  io.Reader
	Out io.Writer // what was asked for
	Err io.Writer // everything else
	// Env looks up an environment variable; "" when it is not set.
	Env func(name string) string
}

// OSStreams returns the process's own streams and environment.
func OSStreams() Streams {
	return Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Getenv}
}

// isTerminal reports whether a person looks at w.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
