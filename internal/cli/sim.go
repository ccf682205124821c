package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyballhq/flyball/simulator"
)

// simFlags are the flags of flyball sim as they were written.
type simFlags struct {
	listen        string
	plan          string
	limit         int
	window        time.Duration
	tickets       int
	others        string
	latency       string
	headers       string
	faults        []string
	programs      []string
	seed          uint64
	chargeRefused bool
	listEndpoints bool
}

func newSim(s Streams) *cobra.Command {
	var f simFlags
	cmd := &cobra.Command{
		Use:   "sim [flags]",
		Short: "Run a Zendesk account made of software",
		Long: `Run a simulated Zendesk account: its limits, headers, refusals and faults, and a
desk of tickets, users and organizations to work on. Any credential works.
It ends on Ctrl-C or SIGTERM.

GET /_sim/ledger tells what arrived, POST /_sim/reset starts again, and
/_sim/faults lists (GET), adds (POST) and ends (DELETE) faults.`,
		Example: `  flyball sim
  flyball sim --limit 60 --window 20s --others 30%
  flyball sim --fault 'status=429,every=20,path=/api/v2/tickets*,retry-after=0'`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.listEndpoints {
				return printLines(s, simulator.Endpoints())
			}
			return f.run(cmd.Context(), s)
		},
		Annotations: exits("told to end", "cannot listen", "wrong call"),
	}
	f.register(cmd)
	return cmd
}

func (f *simFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:4292", "`HOST:PORT`: where to listen; port 0 takes any free one")
	flags.StringVar(&f.plan, "plan", "enterprise", "`PLAN`: the account's plan:\n"+wrapped(shortPlans(), 60))
	flags.IntVar(&f.limit, "limit", 0, "`N`: requests per window; 0 is the plan's figure")
	flags.DurationVar(&f.window, "window", time.Minute, "`D`: how long the account's minute lasts")
	flags.IntVar(&f.tickets, "tickets", 250, "`N`: tickets there are at first")
	flags.StringVar(&f.others, "others", "0%", "`SHARE`: share of the limit that other consumers ask for, in bursts")
	flags.StringVar(&f.latency, "latency", "typical", "`D`: time to an answer, such as 180ms or 50ms-500ms; typical is 50 to 500 ms, median 180")
	flags.StringVar(&f.headers, "headers", "current", "`SPELLING`: how the limit headers are spelt: current, 2023, x-rate-limit or none")
	flags.StringArrayVar(&f.faults, "fault", nil, "`FAULT`: what goes wrong, such as status=503,every=20; may be given again. Keys:\n"+wrapped(simulator.FaultKeys(), 60)+" (default none)")
	flags.StringArrayVar(&f.programs, "program", nil, "`PROGRAM`: a consumer that runs by the clock, such as\nname=export,every=1h,after=17m,calls=350,for=45s,token=oauth;\ntoken is oauth, api or none; may be given again (default none)")
	flags.Uint64Var(&f.seed, "seed", 1, "`N`: chooses the run")
	flags.BoolVar(&f.chargeRefused, "charge-refused", false, "let refused calls use up the limit too (default false)")
	flags.BoolVar(&f.listEndpoints, "list-endpoints", false, "list what is simulated and end (default false)")
}

// options reads the flags.
func (f *simFlags) options() (simulator.Options, error) {
	o := simulator.Options{
		Plan: f.plan, Limit: f.limit, Window: f.window, Tickets: f.tickets, Seed: f.seed,
		Headers: simulator.HeaderMode(f.headers), ChargeRefused: f.chargeRefused,
	}
	if f.tickets == 0 {
		o.Tickets = -1
	}
	var err error
	if o.Others, err = parseShare(f.others); err != nil {
		return o, wrongf("--others %q: %w", f.others, err)
	}
	if o.Latency, err = simulator.ParseLatency(f.latency); err != nil {
		return o, wrongf("--latency: %w", err)
	}
	for _, text := range f.faults {
		fault, err := simulator.ParseFault(text)
		if err != nil {
			return o, wrongf("--fault: %w", err)
		}
		o.Faults = append(o.Faults, fault)
	}
	for _, text := range f.programs {
		program, err := simulator.ParseProgram(text)
		if err != nil {
			return o, wrongf("--program: %w", err)
		}
		o.Programs = append(o.Programs, program)
	}
	return o, wrong(o.Check())
}

func (f *simFlags) run(ctx context.Context, s Streams) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	l, err := listen(ctx, "--listen", f.listen)
	if err != nil {
		return err
	}
	account := simulator.New(o)
	f.announce(s, account, l.Addr())
	return serveUntilDone(ctx, l, account)
}

// announce says what there is and how to try it.
func (f *simFlags) announce(s Streams, account *simulator.Simulator, addr net.Addr) {
	origin := "http://" + addr.String()
	fmt.Fprintf(s.Out, "a simulated Zendesk account listens on %s\n", origin)
	fmt.Fprintf(s.Out, "  it has       %d tickets, and takes any credential\n", f.tickets)
	fmt.Fprintf(s.Out, "  it allows    %d requests per %s (%d limits in all)\n", accountLimit(account.Limits()), short(f.window), len(account.Limits()))
	if f.others != "0%" {
		fmt.Fprintf(s.Out, "  others use   %s of that, in bursts\n", f.others)
	}
	for _, text := range f.programs {
		fmt.Fprintf(s.Out, "  there runs   %s\n", text)
	}
	for _, fault := range account.Faults() {
		fmt.Fprintf(s.Out, "  it suffers   %s\n", fault)
	}
	fmt.Fprintf(s.Out, "  try it       curl -i -u any@example.com/token:any %s/api/v2/tickets.json\n", origin)
	fmt.Fprintf(s.Out, "  govern it    flyball serve %s%s\n", origin, windowFlag(f.window))
	fmt.Fprintf(s.Out, "  what it saw  curl %s/_sim/ledger\n", origin)
}

// accountLimit is the account's own limit: requests in a window.
func accountLimit(limits []simulator.LimitInForce) int {
	for _, l := range limits {
		if l.Name == "account" {
			return l.N
		}
	}
	return 0
}

func windowFlag(window time.Duration) string {
	if window == time.Minute {
		return ""
	}
	return " --window " + short(window)
}

// serveUntilDone serves h on l until ctx ends, then gives what is under way a
// moment to end.
func serveUntilDone(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve on %s: %w (start it again)", l.Addr(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if server.Shutdown(grace) != nil {
		_ = server.Close()
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve on %s: %w (start it again)", l.Addr(), err)
	}
	return nil
}

// shortPlans are the simulator's plans without their common prefix.
func shortPlans() []string {
	plans := simulator.Plans()
	for i, p := range plans {
		plans[i] = strings.TrimPrefix(p, "suite-")
	}
	return plans
}
