package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyballhq/flyball/audit"
	auditpage "github.com/flyballhq/flyball/audit/page"
	"github.com/flyballhq/flyball/audit/replay"
	"github.com/flyballhq/flyball/zendesk"
)

// auditFlags are the flags of flyball audit as they were written.
type auditFlags struct {
	account string
	plan    string
	limit   int
	json    bool
	html    string
	replay  time.Duration
}

func newAudit(s Streams) *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "audit FILE... [flags]",
		Short: "Say what recorded traffic costs, and what could be saved",
		Long: `Read logs of calls to the Zendesk API and say how often they were refused and
why, how near the limit the account came, whether throttling is needed, and which
calls need not have been made. Nothing is sent.

It reads HAR files, access logs of nginx, Apache, Caddy, Envoy and flyball, and
urllib3's debug log, compressed by gzip or not, and tells them apart by itself.
Several files are read together in the order of time. "-" is standard input.`,
		Example: `  flyball audit traffic.har
  flyball audit /var/log/nginx/access.log* --plan enterprise
  zcat old.log.gz | flyball audit - --json`,
		Args: atLeastOne("a FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), s, args)
		},
		Annotations: exits("read, whatever was found", "a file cannot be read", "wrong call"),
	}
	flags := cmd.Flags()
	flags.StringVar(&f.account, "account", "", "`ACCOUNT`: only calls to this account, where the log says to whom (default all)")
	flags.StringVar(&f.plan, "plan", "", "`PLAN`: the account's plan, which says its limit where answers do not (default unknown)")
	flags.IntVar(&f.limit, "limit", 0, "`N`: the account's calls a minute, over whatever the log says (default unknown)")
	flags.BoolVar(&f.json, "json", false, "print the report as JSON (default false)")
	flags.StringVar(&f.html, "html", "", "`FILE`: write the report as one HTML page with charts as well (default none)")
	flags.DurationVar(&f.replay, "replay", 0, "`[=D]`: make the calls of the busiest stretch of this length (1h if not said) again on a\nsimulated account, as they were and through flyball (default not)")
	flags.Lookup("replay").NoOptDefVal = "1h"
	return cmd
}

// options reads the flags.
func (f *auditFlags) options() (o audit.Options, err error) {
	if f.account != "" {
		origin, err := zendesk.Account(f.account)
		if err != nil {
			return o, wrong(err)
		}
		o.Host = origin.Hostname()
	}
	if o.Plan, err = zendesk.ParsePlan(f.plan); err != nil {
		return o, wrongf("--plan: %w", err)
	}
	if o.Limit = f.limit; f.limit < 0 {
		return o, wrongf("--limit %d is negative (write the calls a minute that the account allows, such as 700)", f.limit)
	}
	if f.replay < 0 || f.replay > 0 && f.replay < time.Minute {
		return o, wrongf("--replay=%s is less than a minute (write --replay=1h)", f.replay)
	}
	return o, nil
}

func (f *auditFlags) run(ctx context.Context, s Streams, names []string) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	if f.replay > 0 && slices.Contains(names, "-") {
		return wrongf("--replay reads the logs twice, which standard input cannot be (give a file)")
	}
	a := audit.New(o)
	tell, stop := watchReading(s)
	files, err := audit.Files(ctx, a, names, s.In, tell)
	stop()
	if err != nil {
		return explainAudit(err)
	}
	report := a.Report()
	report.Files = files
	if err := f.replayInto(ctx, s, report, o, names); err != nil {
		return explainAudit(err)
	}
	if err := f.writePage(report); err != nil {
		return err
	}
	if f.json {
		encoder := json.NewEncoder(s.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	return printAudit(s, report)
}

// replayInto replays the busiest stretch, if asked for.
func (f *auditFlags) replayInto(ctx context.Context, s Streams, report *audit.Report, o audit.Options, names []string) error {
	if f.replay == 0 || report.Calls == 0 {
		return nil
	}
	from, to := report.Busiest(f.replay)
	calls, more, err := audit.Calls(ctx, o, names, from, to, replay.Most)
	if err != nil {
		return err
	}
	if isTerminal(s.Err) {
		fmt.Fprintf(s.Err, "making %s again, twice\n", plural(len(calls), "call"))
	}
	if report.Replay, err = replay.Run(ctx, report, calls); err != nil {
		return err
	}
	report.Replay.More = more
	return nil
}

// writePage writes the page, if asked for.
func (f *auditFlags) writePage(report *audit.Report) error {
	if f.html == "" {
		return nil
	}
	file, err := os.Create(f.html)
	if err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return errors.Join(auditpage.Write(file, report), file.Close())
}

func explainAudit(err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("stopped before the logs were read")
	}
	return err
}

// atLeastOne takes one argument or more.
func atLeastOne(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return exactly(name)(cmd, args)
		}
		return nil
	}
}
