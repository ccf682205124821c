package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flyballhq/flyball/config"
)

func newConfig(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config COMMAND [flags]",
		Short: "Check a gateway's configuration file, or show what holds",
		Long: `Look at a gateway's configuration without starting it. docs/guide/configuration.md
lists every key. The environment (FLYBALL_MAX_WAIT for max_wait) goes over the
file, flags go over both.`,
		Example: `  flyball config check flyball.yaml
  flyball config show flyball.yaml`,
		Args:        noSuchCommand,
		RunE:        func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Annotations: exits("done", "failed", "wrong call; nothing was done"),
	}
	cmd.AddCommand(newConfigCheck(s), newConfigShow(s))
	for _, c := range cmd.Commands() {
		c.Flags().SortFlags = false
		c.DisableFlagsInUseLine = true
		c.Flags().BoolP("help", "h", false, "print this help")
	}
	return cmd
}

func newConfigCheck(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Find every mistake in a configuration file",
		Long: `Find every mistake in a configuration file and in the environment that goes over
it, each with its line and the way out. Files that it names (certificates, the
admin token) are read when the gateway starts, not now.`,
		Example: `  flyball config check flyball.yaml`,
		Args:    exactly("a FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return checkConfig(s, args[0])
		},
		Annotations: exits("the gateway can start with it", "it has mistakes, or cannot be read", "wrong call"),
	}
}

func checkConfig(s Streams, file string) error {
	c, err := loadConfig(s, configSource(s, nil, file, ""))
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "%s is good: %s\n", file, summary(c))
	return nil
}

// loadConfig loads a configuration, or tells every mistake.
func loadConfig(s Streams, src config.Source) (*config.Config, error) {
	c, err := config.Load(src)
	return c, tellMistakes(s, err)
}

// summary says in a line what a configuration is about.
func summary(c *config.Config) string {
	a := c.Account()
	switch {
	case a != nil:
		return fmt.Sprintf("%s, %s, %s", a.URL(), counted(len(a.Clients), "client"), counted(len(a.Routes), "route"))
	case len(c.Accounts) == 0:
		return "it names no account, so flyball serve does (flyball serve ACCOUNT)"
	}
	return fmt.Sprintf("%s, each served by a gateway of its own", counted(len(c.Accounts), "account"))
}

func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func newConfigShow(s Streams) *cobra.Command {
	var account string
	var serve serveFlags
	cmd := &cobra.Command{
		Use:   "show [FILE] [flags]",
		Short: "Show what holds, and where each value comes from",
		Long: `Show what flyball serve would run with: every key with its value and where that
comes from: the default, a line of the file, a variable of the environment, or
a flag. It takes the flags of flyball serve. What it prints is a configuration
file that says the same. Secrets are not shown.`,
		Example: `  flyball config show flyball.yaml
  flyball config show --max-wait 8s      the defaults, with one flag`,
		Args: atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			file := cmp.Or(first(args), serve.config)
			c, err := loadConfig(s, configSource(s, cmd.Flags(), file, account))
			if err != nil {
				return err
			}
			_, err = c.WriteTo(s.Out)
			return err
		},
		Annotations: exits("shown", "it has mistakes, or cannot be read", "wrong call"),
	}
	cmd.Flags().StringVar(&account, "account", "", "`ACCOUNT`: the one that is served, of several in the file (default the only one)")
	serve.register(cmd)
	return cmd
}

// configSource says where a gateway's configuration comes from: the file, else
// the one that FLYBALL_CONFIG names; the environment; those of a command's
// flags that were given.
func configSource(s Streams, flags *pflag.FlagSet, file, account string) config.Source {
	if file == "" {
		file = s.Env("FLYBALL_CONFIG")
	}
	src := config.Source{File: file, Account: account, Env: s.Env}
	if flags == nil {
		return src
	}
	flags.Visit(func(f *pflag.Flag) {
		value := f.Value.String()
		if list, ok := f.Value.(pflag.SliceValue); ok {
			value = strings.Join(list.GetSlice(), ",")
		}
		// An empty one, as a script's unset variable leaves it, says nothing.
		if value != "" {
			src.Flags = append(src.Flags, config.Flag{Name: f.Name, Value: value})
		}
	})
	return src
}
