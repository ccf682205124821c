package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

// The exit statuses of every command.
const (
	exitDone   = 0
	exitFailed = 1
	exitWrong  = 2 // the call itself was wrong; nothing was done
)

// Main runs the command that args name until it is done or ctx ends, and
// returns the exit status: 0 done, 1 failed, 2 wrong call.
func Main(ctx context.Context, args []string, s Streams) int {
	root := newRoot(s)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(s.Err, "flyball: %s\n", message(err))
	return statusOf(err)
}

func newRoot(s Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "flyball COMMAND [flags]",
		Short: "A governor for the Zendesk API",
		Long: `flyball sends every request to the Zendesk API as soon as the account's limits
allow, so that none is refused. Point a client at it by changing its base URL.`,
		Example: `  flyball demo            the same load with and without flyball, on a simulated account
  flyball serve acme      the gateway for acme.zendesk.com`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		Annotations: exits("done", "failed", "wrong call; nothing was done"),

		SilenceErrors: true, SilenceUsage: true,
	}
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.SetFlagErrorFunc(wrongFlag)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { fmt.Fprint(s.Out, help(cmd)) })
	root.SetHelpCommand(&cobra.Command{Hidden: true})
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentFlags().SortFlags = false
	root.AddCommand(commands(s)...)
	for _, cmd := range root.Commands() {
		cmd.Flags().SortFlags = false
		cmd.DisableFlagsInUseLine = true
		cmd.Flags().BoolP("help", "h", false, "print this help")
	}
	root.Flags().BoolP("help", "h", false, "print this help")
	return root
}

// commands lists the commands in the order of the help.
func commands(s Streams) []*cobra.Command {
	return []*cobra.Command{
		newDemo(s),
		newServe(s),
		newConfig(s),
		newTop(s),
		newLimits(s),
		newAPI(s),
		newAudit(s),
		newWatch(s),
		newSim(s),
		newVersion(s),
	}
}
