package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
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
		fmt.Fprintf(&b, "\nFlags:\n%s", cmd.LocalFlags().FlagUsages())
	}
	fmt.Fprintf(&b, "\nExit status:\n%s\n", cmd.Annotations["exit"])
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s COMMAND --help tells more.\n", cmd.CommandPath())
	}
	return b.String()
}

// exits writes a command's exit statuses into its help.
func exits(done, failed, wrong string) map[string]string {
	return map[string]string{"exit": fmt.Sprintf("  0  %s\n  1  %s\n  2  %s", done, failed, wrong)}
}
