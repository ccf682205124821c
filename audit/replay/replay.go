package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/audit"
	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/cache/memory"
	"github.com/flyballhq/flyball/elide"
	"github.com/flyballhq/flyball/simulator"
)

// Most is how many calls are replayed at the most.
const Most = 100_000

// Run makes calls again, which are in the order of time and of which r is the
// report, and returns what came of it. It ends early when ctx does.
func Run(ctx context.Context, r *audit.Report, calls []audit.Call) (*audit.Replay, error) {
	if len(calls) == 0 {
		return nil, fmt.Errorf("replay: there is no call to make again")
	}
	from := calls[0].At
	o := account(r, calls)
	out := &audit.Replay{From: from.UTC(), To: calls[len(calls)-1].At.UTC()}
	out.Limit, out.LimitSource = supportLimit(r)
	for i := range calls {
		out.Recorded += calls[i].Refused
	}
	ids, err := simulatedIDs(o, calls)
	if err != nil {
		return nil, err
	}
	callers := script(calls, from, newNaming(ids))
	for _, c := range callers {
		out.Calls += len(c.steps)
	}
	phase := from.Sub(from.Truncate(time.Hour)) // windows end at the clock's minutes
	for _, side := range []struct {
		outcome *audit.Outcome
		govern  bool
	}{{&out.AsItWas, false}, {&out.Governed, true}} {
		err := bubble(func() error {
			time.Sleep(phase)
			return play(ctx, o, r, callers, side.govern, side.outcome, &out.NotSimulated)
		})
		if err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return out, nil
}

// play is one of the two sides.
func play(ctx context.Context, o simulator.Options, r *audit.Report, callers []*caller, govern bool, outcome *audit.Outcome, absent *int) error {
	desk := simulator.New(o)
	s := &show{to: desk.RoundTripper(), ctx: ctx}
	if govern {
		t, end, err := governed(r.Proposal, s.to)
		if err != nil {
			return err
		}
		defer end()
		s.to = t
	}
	s.play(callers)
	ledger := desk.Ledger()
	*outcome = s.outcome
	outcome.Sends, outcome.Refused = ledger.Sends, ledger.Refused()
	*absent = max(*absent, s.absent)
	return nil
}

// governed puts flyball with the proposed settings before an account.
func governed(p audit.Proposal, base http.RoundTripper) (t *flyball.Transport, end func(), err error) {
	o := flyball.Options{Account: origin, Base: base, Elide: elide.Options{Within: p.Elide}}
	for _, m := range p.Merge {
		o.Batch.Routes = append(o.Batch.Routes, m.Name)
	}
	var store *memory.Store
	if len(p.Keep) > 0 {
		if store, err = memory.New(memory.Options{}); err != nil {
			return nil, nil, fmt.Errorf("replay: %w", err)
		}
		o.Cache.Store = store
	}
	for _, k := range p.Keep {
		o.Cache.Rules = append(o.Cache.Rules, cache.Rule{Route: k.Route, Fresh: k.Fresh})
	}
	if t, err = flyball.New(o); err != nil {
		return nil, nil, fmt.Errorf("replay: %w", err)
	}
	return t, func() {
		_ = t.Close()
		if store != nil {
			_ = store.Close()
		}
	}, nil
}

// account is the account to simulate: of the report's limit, and with room for
// the objects that the calls name.
func account(r *audit.Report, calls []audit.Call) simulator.Options {
	seen := map[string]map[string]bool{"tickets": {}, "users": {}, "organizations": {}}
	for i := range calls {
		segments := strings.Split(strings.TrimSuffix(calls[i].Path, ".json"), "/")
		if len(segments) > 4 && seen[segments[3]] != nil && number(segments[4]) {
			seen[segments[3]][segments[4]] = true
		}
	}
	const least, most = 100, 5000
	size := func(collection string) int { return min(max(len(seen[collection]), least), most) }
	o := simulator.Options{Seed: 1, Tickets: size("tickets"), Users: size("users"), Organizations: size("organizations"), KeepRequests: 1}
	o.Limit, _ = supportLimit(r)
	return o
}

// supportLimit is the account's calls a minute, and where that comes from.
// Where nobody says it and the account refused calls for it, it is what was let
// through: an account with more room would show none of the log's trouble.
func supportLimit(r *audit.Report) (limit int, source string) {
	for _, s := range r.Services {
		switch {
		case s.Name != "support":
		case s.Limit > 0:
			return s.Limit, s.Source
		case slices.ContainsFunc(r.Causes, func(c audit.Cause) bool { return c.Scope == "account" }) && s.Passed > 0:
			return s.Passed, "the most that was let through; say it with --plan or --limit"
		}
	}
	return 700, "assumed; say it with --plan or --limit"
}

// simulatedIDs lists the ids that there are on such an account, by collection.
// It asks one that is thrown away.
func simulatedIDs(o simulator.Options, calls []audit.Call) (map[string][]string, error) {
	wanted := map[string]bool{}
	for i := range calls {
		segments := strings.Split(calls[i].Path, "/")
		if len(segments) > 4 {
			wanted[segments[3]] = true
		}
	}
	ids := map[string][]string{}
	o.Limit = 1 << 20
	err := bubble(func() error {
		scout := simulator.New(o)
		for collection := range wanted {
			ids[collection] = listed(scout.RoundTripper(), collection)
			time.Sleep(time.Minute) // a new window of all limits
		}
		return nil
	})
	return ids, err
}

// listed reads the ids of a collection, page by page; none where there is no
// such list.
func listed(account http.RoundTripper, collection string) (ids []string) {
	for page := 1; page <= 100; page++ {
		url := fmt.Sprintf("%s/api/v2/%s?per_page=100&page=%d", origin, collection, page)
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
		if err != nil {
			return ids
		}
		req.Header.Set("Authorization", "Bearer replay")
		resp, err := account.RoundTrip(req)
		if err != nil {
			return ids
		}
		var body map[string]json.RawMessage
		err = json.NewDecoder(resp.Body).Decode(&body)
		_ = resp.Body.Close()
		var records []struct {
			ID json.Number `json:"id"`
		}
		if err != nil || resp.StatusCode != http.StatusOK || json.Unmarshal(body[collection], &records) != nil || len(records) == 0 {
			return ids
		}
		for _, r := range records {
			ids = append(ids, r.ID.String())
		}
	}
	return ids
}
