package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flyballhq/flyball/config"
)

// A wrongCall is a mistake in how a command was called: exit status 2.
type wrongCall struct{ err error }

func (e *wrongCall) Error() string { return e.err.Error() }
func (e *wrongCall) Unwrap() error { return e.err }

func wrongf(format string, args ...any) error { return &wrongCall{fmt.Errorf(format, args...)} }

// wrong marks err as a mistake in the call.
func wrong(err error) error {
	if err == nil {
		return nil
	}
	return &wrongCall{err}
}

func statusOf(err error) int {
	var mistake *wrongCall
	if errors.As(err, &mistake) {
		return exitWrong
	}
	return exitFailed
}

// message is err without the prefix that package flyball gives its errors.
func message(err error) string { return strings.TrimPrefix(err.Error(), "flyball: ") }

// wrongFlag says what is wrong with a flag, and which one was meant.
func wrongFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return wrongf("%s: %w (see %s --help)", cmd.Name(), err, cmd.CommandPath())
	}
	name := unknown.GetSpecifiedName()
	if unknown.GetSpecifiedShortnames() != "" {
		return wrongf("%s has no flag -%s (see %s --help)", cmd.CommandPath(), name, cmd.CommandPath())
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if meant := config.Nearest(name, names); meant != "" {
		return wrongf("%s has no flag --%s; did you mean --%s? (see %s --help)", cmd.CommandPath(), name, meant, cmd.CommandPath())
	}
	return wrongf("%s has no flag --%s (see %s --help)", cmd.CommandPath(), name, cmd.CommandPath())
}

// noSuchCommand refuses what is no command's name.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	if meant := config.Nearest(args[0], names); meant != "" {
		return wrongf("there is no command %q; did you mean %q? (see flyball --help)", args[0], meant)
	}
	return wrongf("there is no command %q (see flyball --help)", args[0])
}

// exactly takes the arguments named, no more and no fewer.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return wrongf("%s needs %s, as in: %s", cmd.CommandPath(), names[len(args)], firstExample(cmd))
		case len(args) > len(names):
			return tooMany(cmd, args[len(names)])
		}
		return nil
	}
}

// atMostOne takes one argument or none.
func atMostOne(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return tooMany(cmd, args[1])
	}
	return nil
}

func tooMany(cmd *cobra.Command, arg string) error {
	return wrongf("%s does not take %q (see %s --help)", cmd.CommandPath(), arg, cmd.CommandPath())
}

func firstExample(cmd *cobra.Command) string {
	line, _, _ := strings.Cut(strings.TrimSpace(cmd.Example), "\n")
	line, _, _ = strings.Cut(line, "  ")
	return line
}
