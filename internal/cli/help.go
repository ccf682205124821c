package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// help writes a command's help. It is code and not one of cobra's templates:
// text/template would keep every exported method in the binary, 5 MB.
func help(cmd *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nUsage:\n  %s\n", cmd.Long, cmd.UseLine())
	if cmd.HasAvailableSubCommands() {
		fmt.Fprint(&b, "\nCommands:\n")
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				fmt.Fprintf(&b, "  %-9s %s\n", c.Name(), c.Short)
			}
		}
	}
	fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	if !cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\nFlags:\n%s", flagLines(cmd.Flags()))
	}
	fmt.Fprintf(&b, "\nExit status:\n%s\n", cmd.Annotations["exit"])
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s COMMAND --help tells more.\n", cmd.CommandPath())
	}
	return b.String()
}

// flagLines lists flags with their defaults. A flag's usage begins with the
// name of its value in back quotes and a colon, which is printed on the left.
func flagLines(flags *pflag.FlagSet) string {
	var lefts, rights []string
	width := 0
	flags.VisitAll(func(f *pflag.Flag) {
		value, usage := pflag.UnquoteUsage(f)
		left := "    --" + f.Name
		if f.Shorthand != "" {
			left = "-" + f.Shorthand + ", --" + f.Name
		}
		if value != "" {
			left += " " + value
		}
		lefts = append(lefts, left)
		rights = append(rights, strings.TrimPrefix(usage, value+": ")+defaultOf(f))
		width = max(width, len(left))
	})
	var b strings.Builder
	for i, left := range lefts {
		indented := strings.ReplaceAll(rights[i], "\n", "\n"+strings.Repeat(" ", width+5))
		fmt.Fprintf(&b, "  %-*s   %s\n", width, left, indented)
	}
	return b.String()
}

// defaultOf states a flag's default, unless its usage does.
func defaultOf(f *pflag.Flag) string {
	switch {
	case strings.Contains(f.Usage, "(default ") || f.Name == "help":
		return ""
	case f.Value.Type() == "duration":
		d, _ := time.ParseDuration(f.DefValue) // pflag wrote it
		return " (default " + short(d) + ")"
	}
	return " (default " + f.DefValue + ")"
}

// exits writes a command's exit statuses into its help.
func exits(done, failed, wrong string) map[string]string {
	return map[string]string{"exit": fmt.Sprintf("  0  %s\n  1  %s\n  2  %s", done, failed, wrong)}
}
