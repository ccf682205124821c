package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/admin"
	"github.com/flyballhq/flyball/zendesk"
)

const defaultAdmin = "127.0.0.1:4291"

// limitsFlags are the flags of flyball limits as they were written.
type limitsFlags struct {
	admin string
	json  bool
}

func newLimits(s Streams) *cobra.Command {
	var f limitsFlags
	cmd := &cobra.Command{
		Use:   "limits [ACCOUNT] [flags]",
		Short: "Show every limit now: how many are left, and until when",
		Long: `Show every limit that is known now: its size, what is left of it, when it
resets, and who said so (header: the account itself; learned: from refusals;
documented: Zendesk's pages, or a guess).

Without ACCOUNT it asks a gateway's admin address, with the token in
FLYBALL_ADMIN_TOKEN if that is set. With ACCOUNT it makes one call of its own,
GET /api/v2/users/me.json, with ZENDESK_OAUTH_TOKEN or with ZENDESK_EMAIL and
ZENDESK_API_TOKEN, and knows what that answer says.`,
		Example: `  flyball limits
  flyball limits acme
  flyball limits --json --admin 127.0.0.1:4291`,
		Args: atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if cmd.Flags().Changed("admin") {
					return wrongf("ACCOUNT and --admin are two places to ask (give one of them)")
				}
				return f.ask(cmd.Context(), s, args[0])
			}
			return f.read(cmd.Context(), s)
		},
		Annotations: exits("shown", "nobody answered, or the answer was no", "wrong call"),
	}
	cmd.Flags().StringVar(&f.admin, "admin", "", "`HOST:PORT`: the gateway's admin address (default $FLYBALL_ADMIN, else "+defaultAdmin+")")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON, as GET /api/limits gives it (default false)")
	return cmd
}

// read shows what a gateway knows.
func (f *limitsFlags) read(ctx context.Context, s Streams) error {
	from, err := newAdminClient(s, f.admin)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var doc admin.Limits
	if err := from.get(ctx, "/api/limits", &doc); err != nil {
		if errors.Is(err, errUnanswered) {
			return fmt.Errorf("%w Or name an account to ask it directly: flyball limits ACCOUNT", err)
		}
		return err
	}
	return f.print(s, doc, "told by the gateway at "+from.address)
}

// ask shows what the account says in answer to one call.
func (f *limitsFlags) ask(ctx context.Context, s Streams, account string) error {
	origin, err := zendesk.Account(account)
	if err != nil {
		return wrong(err)
	}
	who, err := credentialFor(s, origin.Host)
	if err != nil {
		return err
	}
	t, err := flyball.New(flyball.Options{Account: origin.String()})
	if err != nil {
		return wrong(err)
	}
	defer t.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	const path = "/api/v2/users/me.json"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, origin.String()+path, nil)
	if err != nil {
		return wrong(err)
	}
	req.Header.Set("Authorization", who.header)
	resp, err := (&http.Client{Transport: t}).Do(req)
	if err != nil {
		return explain(origin.Host, err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)) // the header says it all
	if resp.StatusCode == http.StatusUnauthorized {
		return fmt.Errorf("%s does not know this credential (check %s)", origin.Host, who.source)
	}
	doc := admin.NewLimits(t.Snapshot(), version())
	return f.print(s, doc, fmt.Sprintf("by one call, GET %s, with %s", path, who.source))
}

func (f *limitsFlags) print(s Streams, doc admin.Limits, how string) error {
	if f.json {
		encoder := json.NewEncoder(s.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(doc)
	}
	fmt.Fprintf(s.Out, "limits of %s at %s, %s\n\n", doc.Account, doc.At.Local().Format("15:04:05"), how)
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "BUCKET\tLIMIT\tLEFT\tRESETS IN\tSOURCE\tOURS\tOTHERS\tHELD\t429s\t")
	for _, b := range doc.Buckets {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\t%d\t%s\n", bucketName(b), rate(b), known(b.Left), wait(b.ResetSeconds),
			b.Source, b.Ours, b.Others, held(b), b.Refusals, paused(b))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(doc.Buckets) == 0 {
		fmt.Fprintln(s.Out, "none is known yet: the first call's answer tells")
	}
	if line := savedLine(doc); line != "" {
		fmt.Fprintf(s.Out, "\n%s\n", line)
	}
	return nil
}

// savedLine says what was not sent, by cause; "" when nothing was saved.
func savedLine(doc admin.Limits) string {
	all := 0
	var causes []string
	for _, saving := range doc.Saved {
		all += saving.Sends
		causes = append(causes, fmt.Sprintf("%s %s", causeText[saving.Cause], thousands(saving.Sends)))
	}
	if all <= 0 {
		return ""
	}
	would := doc.Sends + all
	return fmt.Sprintf("saved: %s of %s sends (%s): %s", thousands(all), thousands(would), percent(all, would), strings.Join(causes, ", "))
}

func bucketName(b admin.Bucket) string {
	if b.Credential != "" {
		return b.Bucket + " of credential " + b.Credential[:min(6, len(b.Credential))]
	}
	return b.Bucket
}

func rate(b admin.Bucket) string {
	switch {
	case b.Limit == nil:
		return "-"
	case b.WindowSeconds == nil:
		return strconv.Itoa(*b.Limit) + " at once"
	}
	return strconv.Itoa(*b.Limit) + " per " + short(time.Duration(*b.WindowSeconds*float64(time.Second)))
}

func known(n *int) string {
	if n == nil {
		return "-"
	}
	return strconv.Itoa(*n)
}

func wait(s *float64) string {
	if s == nil {
		return "-"
	}
	return fmt.Sprintf("%.0f s", *s)
}

// held is how many wait and what one more is likely to.
func held(b admin.Bucket) string {
	if b.WaitSeconds < 1 {
		return strconv.Itoa(b.Held)
	}
	return fmt.Sprintf("%d (about %.0f s)", b.Held, b.WaitSeconds)
}

func paused(b admin.Bucket) string {
	if b.PauseSeconds == nil {
		return ""
	}
	return fmt.Sprintf("paused for %.0f s: %s", *b.PauseSeconds, b.PauseCause)
}

// firstOf returns the first text that is not empty.
func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
