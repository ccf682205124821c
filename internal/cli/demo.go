package cli

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyballhq/flyball/simulator"
)

const (
	demoWorkers    = 40
	demoWallboards = 5
	demoOthers     = 0.3
	demoTickets    = 1000
)

// demoFlags are the flags of flyball demo.
type demoFlags struct {
	duration time.Duration
	window   time.Duration
	plan     string
	seed     uint64
	saving   bool
}

func newDemo(s Streams) *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use:   "demo [flags]",
		Short: "See one load with and without flyball, on a simulated account",
		Long: fmt.Sprintf(`Run one load twice at the same time, on two simulated Zendesk accounts that are
exactly alike: once straight, and once through flyball's gateway. Nothing to
set up, nothing leaves this machine.

The load is %d workers of a sync, which read, change and create tickets and now
and then read the ticket fields and the groups; an export; %d wallboards that
poll a count once a second; and a person who opens a ticket now and then. All of
them do what Zendesk's page on rate limits shows: on a 429 they sleep for
Retry-After and call again. Other programs ask for %d %% of each account's limit.

Flyball is told what it may save: ticket fields and groups are kept for a
simulated minute, and reads and updates of single tickets may be merged. With
--saving=false it runs with its default settings, under which identical calls
that are in flight at the same time share one send and nothing else is saved.

A simulated minute lasts --window. The figures come from the callers and from
the accounts' own ledgers, not from flyball, except those that say so: how many
of the others' calls flyball, which sees none of them, believes refused, and the
sends that it has saved, by cause. The dashboard whose address it prints shows
flyball's side while it lasts.`, demoWorkers, demoWallboards, int(100*demoOthers)),
		Example: `  flyball demo
  flyball demo --saving=false                 with default settings
  flyball demo --plan team --duration 1m
  flyball demo --window 1m --duration 4m      in real minutes`,
		Args:        exactly(),
		RunE:        func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), s) },
		Annotations: exits("ran to its end, or was stopped", "cannot listen on the loopback", "wrong call"),
	}
	flags := cmd.Flags()
	flags.DurationVar(&f.duration, "duration", 40*time.Second, "`D`: how long both runs last")
	flags.DurationVar(&f.window, "window", 10*time.Second, "`D`: how long a simulated minute lasts")
	flags.StringVar(&f.plan, "plan", "enterprise", "`PLAN`: the accounts' plan:\n"+wrapped(shortPlans(), 60))
	flags.Uint64Var(&f.seed, "seed", 1, "`N`: chooses the load and the accounts")
	flags.BoolVar(&f.saving, "saving", true, "let flyball keep what rarely changes and merge reads and updates of tickets;\n--saving=false is flyball with default settings")
	return cmd
}

// account says what both accounts are like.
func (f *demoFlags) account() (simulator.Options, error) {
	o := simulator.Options{
		Plan: f.plan, Window: f.window, Seed: f.seed,
		Others: demoOthers, Tickets: demoTickets,
	}
	switch {
	case f.duration < time.Second || f.duration > time.Hour:
		return o, wrongf("--duration %s is not between 1s and 1h", f.duration)
	case f.window < time.Second || f.window > 10*time.Minute:
		return o, wrongf("--window %s is not between 1s and 10m", f.window)
	}
	return o, wrong(o.Check())
}

func (f *demoFlags) run(ctx context.Context, s Streams) error {
	o, err := f.account()
	if err != nil {
		return err
	}
	naive, err := newSide(ctx, o, straight)
	if err != nil {
		return err
	}
	defer naive.close()
	before := defaults
	if f.saving {
		before = saving
	}
	governed, err := newSide(ctx, o, before)
	if err != nil {
		return err
	}
	defer governed.close()

	f.introduce(s, naive.account.Limits(), governed.dashboard)
	view := newDemoView(s, f.duration, naive, governed)
	load := newLoad(f.seed)
	running, cancel := context.WithTimeout(ctx, f.duration)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		bothRun(running, load, naive, governed)
	}()
	view.watch(ended)
	f.conclude(s, view)
	return nil
}

// bothRun returns when both sides have run the load until ctx ended.
func bothRun(ctx context.Context, load load, sides ...*side) {
	done := make(chan struct{})
	for _, side := range sides {
		go func() {
			side.run(ctx, load)
			done <- struct{}{}
		}()
	}
	for range sides {
		<-done
	}
}

func (f *demoFlags) introduce(s Streams, limits []simulator.LimitInForce, dashboard string) {
	fmt.Fprintf(s.Out, `Two simulated Zendesk accounts, exactly alike: each allows %d requests a minute,
and a simulated minute lasts %s here. Other programs ask for %d %% of that. The
same %d workers, %d wallboards, export and person call both, one straight, one
through flyball. On a 429 they sleep for Retry-After and call again, as Zendesk's
page shows.%s
flyball's dashboard, until the demo ends: %s

`, accountLimit(limits), short(f.window), int(100*demoOthers), demoWorkers, demoWallboards, f.may(), dashboard)
}

// may says what flyball was told to save.
func (f *demoFlags) may() string {
	if f.saving {
		return `

Flyball may keep ticket fields and groups for a simulated minute, and merge reads
and updates of single tickets; --saving=false shows it without.`
	}
	return "\n\nFlyball runs with its default settings: it keeps and merges nothing."
}

// switchedOn is how to have the same with an account of one's own.
const switchedOn = `What was kept and merged is so only where you ask for it, in the --config file:

  accounts:
    - name: ACCOUNT
      cache: {static: on}
      routes:
        - {match: /api/v2/tickets/*, batch: allow}

`

func (f *demoFlags) conclude(s Streams, view *demoView) {
	fmt.Fprintf(s.Out, "%s\n%s\n%s", view.table(), view.pulse(), view.moral())
	if f.saving {
		fmt.Fprint(s.Out, switchedOn)
	}
	fmt.Fprintf(s.Out, "Measured on flyball's simulator by: %s\n", f.command())
	fmt.Fprintf(s.Out, `
Next, with an account of yours:   %[1]s serve ACCOUNT
or with a simulated one:          %[1]s sim
                                  %[1]s serve http://127.0.0.1:4292
`, program())
}

// command is the command line that repeats this run.
func (f *demoFlags) command() string {
	line := fmt.Sprintf("%s demo --duration %s --window %s --plan %s --seed %d", program(), short(f.duration), short(f.window), f.plan, f.seed)
	if !f.saving {
		line += " --saving=false"
	}
	return line
}

// program is how the reader calls flyball: by its name, or by go run.
func program() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./cmd/flyball"
	}
	return "flyball"
}
