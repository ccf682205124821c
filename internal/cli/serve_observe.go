package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/observe"
)

// onTheirWay is how many trials there may be beside those that are held.
const onTheirWay = 2000

// watch makes the transport that holds nothing back, and tries beside it what
// t would do.
func (svc *service) watch(o *gateway.Options, t flyball.Options) (err error) {
	if svc.kept, err = svc.config.OpenTrialStore(); err != nil {
		return err
	}
	t.Cache.Store = svc.kept
	svc.observer, err = observe.New(observe.Options{Base: t.Base, Govern: t, Most: t.MaxWaiting + onTheirWay, OnEvent: t.OnEvent})
	if err != nil {
		return wrong(err)
	}
	svc.transport = svc.observer.Governed()
	o.Transport, o.Untouched, o.Label = svc.observer, true, labelTrial
	if len(svc.config.CORS.Origins) > 0 {
		svc.log.Warn("--observe passes answers on as they are: --allow-origin does nothing, web pages may do what the account itself says")
	}
	return nil
}

// labelTrial tells the observer who calls, and the trial what was asked for.
// The receipt is for the call that is really made.
func labelTrial(ctx context.Context, ask gateway.Ask) context.Context {
	receipt := ask.Receipt
	ask.Receipt = nil
	return observe.With(gateway.Label(ctx, ask), observe.Ask{Client: ask.Client, Class: ask.Class, HasClass: ask.HasClass, Receipt: receipt})
}

// tellObserved writes a line once a minute, and one at the end.
func (svc *service) tellObserved(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			svc.logObserved()
			return
		case <-tick.C:
			svc.logObserved()
		}
	}
}

func (svc *service) logObserved() {
	r := svc.observer.Report()
	svc.log.Info("observed", "calls", r.Passed.Calls, "refused_by_account", r.Passed.Refused,
		"would_hold", r.Governed.Held, "would_hold_p99", lasted(r.Governed.HoldP99), "would_hold_now", r.Waiting,
		"would_refuse", r.Governed.GaveUp, "would_save", r.Governed.Saved, "would_send", r.Governed.Sends,
		"account_would_refuse", r.Governed.Refused, "not_observed", r.Unobserved)
}

// lasted writes seconds for people.
func lasted(seconds float64) string {
	return short(time.Duration(seconds * float64(time.Second)).Round(time.Millisecond))
}

// writeObserved writes what was observed, for people.
func writeObserved(w io.Writer, r observe.Report) {
	g := r.Governed
	fmt.Fprintf(w, "observed %s for %s: %s passed as they came, %d refused by the account\n",
		r.Account, short(r.At.Sub(r.Since).Round(time.Second)), counted(r.Passed.Calls, "call"), r.Passed.Refused)
	fmt.Fprintln(w, "flyball would have")
	fmt.Fprintf(w, "  held      %s\n", heldText(g))
	fmt.Fprintf(w, "  refused   %s%s\n", counted(g.GaveUp, "call"), listed(g.ByReason, func(c observe.Reason) string { return fmt.Sprintf("%s: %d", c.Name, c.Calls) }))
	fmt.Fprintf(w, "  saved     %s without a send of their own%s\n", counted(g.Saved, "call"), listed(g.ByCause, func(s observe.Spared) string { return fmt.Sprintf("%s: %d", s.Cause, s.Calls) }))
	fmt.Fprintf(w, "  met       %d refusals by the account instead of %d\n", g.Refused, r.Passed.Refused)
	if r.Waiting > 0 {
		fmt.Fprintf(w, "  and be holding %s now, in none of these figures\n", counted(r.Waiting, "call"))
	}
	if r.Unobserved > 0 {
		fmt.Fprintf(w, "  (not observed: %s, for too many were under way at once)\n", counted(int(r.Unobserved), "call"))
	}
}

func heldText(g observe.Outcome) string {
	if g.Held == 0 {
		return "nothing"
	}
	text := fmt.Sprintf("%s for %s on average, %s at most; of all calls, 99 in 100 no longer than %s",
		counted(g.Held, "send"), lasted(g.HeldSeconds/float64(g.Held)), lasted(g.LongestSeconds), lasted(g.HoldP99))
	return text + listed(g.ByLimit, func(h observe.Held) string { return fmt.Sprintf("%s: %d", cmp.Or(h.Bucket, "unknown"), h.Calls) })
}

// listed is the first few of a list, in brackets; "" for none.
func listed[T any](all []T, text func(T) string) string {
	if len(all) == 0 {
		return ""
	}
	var words []string
	for _, one := range all[:min(5, len(all))] {
		words = append(words, text(one))
	}
	return " (" + strings.Join(words, ", ") + ")"
}
