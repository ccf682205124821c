package cli

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/watch"
	"github.com/flyballhq/flyball/zendesk"
)

// watchFlags are the flags of flyball watch as they were written.
type watchFlags struct {
	length time.Duration
	json   bool
	state  string
	window time.Duration
}

func newWatch(s Streams) *cobra.Command {
	var f watchFlags
	cmd := &cobra.Command{
		Use:   "watch ACCOUNT [flags]",
		Short: "Watch an account's use from outside, a few calls a minute",
		Long: `Watch how much of its limit an account uses, minute by minute, by at most 6
read-only calls a minute: for the admin whose traffic does not pass flyball. It
finds the minutes in which others use far more than usual, and those of them
that repeat, and sets beside each the OAuth tokens and API tokens last used
then. It says what it cannot name.

The credential comes from ZENDESK_OAUTH_TOKEN, or from ZENDESK_EMAIL and
ZENDESK_API_TOKEN; the lists of tokens are for admins. When the account refuses
a call with 429, nothing is sent until the time it names.

It ends after --for or on Ctrl-C, with a report. An hourly spike shows after
three hours, a daily one after three days: with --state what was learned is kept,
and the next run goes on from there.`,
		Example: `  flyball watch acme --for 4h
  flyball watch acme --state acme.watch --for 24h
  flyball watch acme --json >> acme.jsonl`,
		Args: exactly("an ACCOUNT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), s, args[0])
		},
		Annotations: exits("watched, whatever was found, also when ended by Ctrl-C", "the account cannot be asked, or the state file not be used", "wrong call"),
	}
	flags := cmd.Flags()
	flags.DurationVar(&f.length, "for", 0, "`D`: how long to watch, such as 2h (default until Ctrl-C)")
	flags.BoolVar(&f.json, "json", false, "print JSON, an object a line: minutes, spikes, refusals, at the end the report (default false)")
	flags.StringVar(&f.state, "state", "", "`FILE`: keep what is learned there, and go on from it (default nowhere)")
	flags.DurationVar(&f.window, "window", time.Minute, "`D`: how long the account's minute lasts; only a simulator's is not 1m")
	return cmd
}

func (f *watchFlags) run(ctx context.Context, s Streams, account string) error {
	switch {
	case f.length < 0:
		return wrongf("--for %s is negative (write how long to watch, such as 2h)", f.length)
	case f.window < 100*time.Millisecond || f.window > time.Hour:
		return wrongf("--window %s is not between 100ms and 1h (a Zendesk account's window is 1m)", f.window)
	}
	w, err := f.watcher(s, account, nil)
	if err != nil {
		return err
	}
	defer w.close()
	if f.length > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.length)
		defer cancel()
	}
	return w.run(ctx)
}

// watcher puts a watch together; base sends its calls, nil is the usual way.
func (f *watchFlags) watcher(s Streams, account string, base http.RoundTripper) (*watcher, error) {
	origin, err := zendesk.Account(account)
	if err != nil {
		return nil, wrong(err)
	}
	who, err := credentialFor(s, origin.Host)
	if err != nil {
		return nil, err
	}
	state, err := readWatchState(f.state, origin.Host, f.window)
	if err != nil {
		return nil, fmt.Errorf("--state %s: %w", f.state, err)
	}
	w := &watcher{
		s: s, flags: f, origin: origin, who: who, window: f.window,
		engine: watch.New(watch.Options{Window: f.window, State: state}, time.Now()),
		names:  map[uint64]string{}, denied: map[string]time.Time{},
	}
	if base == nil {
		base = http.DefaultTransport.(*http.Transport).Clone()
	}
	w.base = base
	w.transport, err = flyball.New(flyball.Options{Account: origin.String(), Base: &meter{w}, Window: f.window, Retries: -1})
	if err != nil {
		return nil, wrong(err)
	}
	w.client = &http.Client{Transport: w.transport, CheckRedirect: sameHostOnly}
	w.view = newWatchView(s, f.json, f.window, origin.Host)
	return w, nil
}
