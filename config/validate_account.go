package config

import (
	"time"

	"github.com/flyballhq/flyball/zendesk"
)

// account looks at one account; seen holds the path of each one's origin.
func (v validator) account(a *Account, path string, seen map[string]string) {
	v.whose(a, path, seen)
	if a.Window == 0 || a.Window > day {
		v.wrong([]string{path + ".window"}, "%s is not above 0s and up to 24h (a Zendesk account's window is 1m)", a.Window)
	}
	v.regulation(a, path)
	v.window(a.Batch.ReadWindow, path+".batch.read_window")
	v.window(a.Batch.WriteWindow, path+".batch.write_window")
	if a.Elide.Within > day {
		v.wrong([]string{path + ".elide.within"}, "%s is over 24h (what others change is not seen for as long: write 10m)", a.Elide.Within)
	}
	v.cache(&a.Cache, path+".cache")
	v.clients(a, path)
	v.routes(a, path)
}

// whose finds out which account is meant, and that it is listed once.
func (v validator) whose(a *Account, path string, seen map[string]string) {
	key, named := path+".upstream", string(a.Upstream)
	if named == "" {
		key, named = path+".name", string(a.Name)
	}
	if named == "" && (v.said(path+".name") || v.said(path+".upstream")) {
		return // what was said is wrong, and was told of already
	}
	if named == "" {
		v.wrong([]string{path}, "it has neither name nor upstream (write name: acme, or upstream: https://acme.zendesk.com)")
		return
	}
	origin, err := zendesk.Account(named)
	if err != nil {
		v.wrong([]string{key, path}, "%s", err)
		return
	}
	if first, ok := seen[origin.String()]; ok {
		v.wrong([]string{key, path}, "%s is %s already (an account has one budget: put the two together)", origin, first)
	}
	seen[origin.String()] = path
}

func (v validator) regulation(a *Account, path string) {
	v.rate(a.AtMost, path+".at_most")
	allowed := a.Plan.perMinute()
	if allowed > 0 && a.AtMost.PerMinute() > float64(allowed) {
		v.wrong([]string{path + ".at_most"}, "%s is more than the plan %s allows, %d/min (lower it, or leave it out: flyball keeps within the account's own limit)", a.AtMost, a.Plan, allowed)
	}
	switch {
	case a.KeepFree.Share >= 1:
		v.wrong([]string{path + ".keep_free"}, "%s leaves nothing to use (write 15%%)", a.KeepFree)
	case allowed > 0 && a.KeepFree.Calls >= allowed:
		v.wrong([]string{path + ".keep_free"}, "%s leaves nothing to use: the plan %s allows %d/min (write 15%%, or fewer than %d)", a.KeepFree, a.Plan, allowed, allowed)
	}
	if a.Politeness > 10 {
		v.wrong([]string{path + ".politeness"}, "%s is over 10 (0 leaves others nothing of what they are expected to use, 1 all of it)", a.Politeness)
	}
	if a.Burst < 1 || a.Burst > 100 {
		v.wrong([]string{path + ".burst"}, "%s is not between 1 and 100 (how many times the even pace bulk may go; 2 is measured best)", a.Burst)
	}
}

func (v validator) clients(a *Account, path string) {
	names := map[Name]string{}
	for i := range a.Clients {
		c, path := &a.Clients[i], at(path+".clients", i)
		switch first, ok := names[c.Name]; {
		case c.Name == "" && v.said(path+".name"): // and was told of already
		case c.Name == "":
			v.wrong([]string{path}, "it has no name (write name: warehouse-sync)")
		case ok:
			v.wrong([]string{path + ".name"}, "%s is %s already (give each client a name of its own)", c.Name, first)
		default:
			names[c.Name] = path
		}
		v.client(a, c, path)
	}
	v.overlaps(a, path)
}

func (v validator) client(a *Account, c *Client, path string) {
	if c.Class != "" && c.Class.urgency() > c.Ceiling.urgency() {
		v.wrong([]string{path + ".class"}, "%s is above the ceiling, %s (raise the ceiling, or lower the class)", c.Class, c.Ceiling)
	}
	if c.Class == "" && c.Ceiling == "bulk" {
		v.wrong([]string{path + ".ceiling"}, "bulk is below the class that calls have by themselves, normal (write class: bulk too)")
	}
	if c.Weight <= 0 || c.Weight > 1000 {
		v.wrong([]string{path + ".weight"}, "%s is not above 0 and up to 1000 (a client of weight 2 goes twice as often as one of 1)", c.Weight)
	}
	if c.MaxShare == 0 {
		v.wrong([]string{path + ".max_share"}, "0%% lets no call of this client pass (write 50%%)")
	}
	v.rate(c.AtMost, path+".at_most")
	for _, whole := range []struct {
		name      string
		perMinute float64
	}{{"the account's at_most, " + a.AtMost.String(), a.AtMost.PerMinute()}, {"the plan " + string(a.Plan) + " allows", float64(a.Plan.perMinute())}} {
		if whole.perMinute > 0 && c.AtMost.PerMinute() > whole.perMinute {
			v.wrong([]string{path + ".at_most"}, "%s is more than %s (lower it, or leave it out)", c.AtMost, whole.name)
			break
		}
	}
	v.wait(c.MaxWait, path)
}

// window refuses a merge window that would be felt as a delay of its own.
func (v validator) window(d Duration, key string) {
	if d > Duration(time.Second) {
		v.wrong([]string{key}, "%s is over 1s (calls that a limit holds back merge for as long as they are held; write 20ms)", d)
	}
}

func (v validator) wait(d *Duration, path string) {
	if d != nil {
		v.span(path+".max_wait", *d, true, "0s never waits")
	}
}

func (v validator) routes(a *Account, path string) {
	for i := range a.Routes {
		r, path := &a.Routes[i], at(path+".routes", i)
		v.wait(r.MaxWait, path)
		switch {
		case r.Match.String() == "" && !v.said(path+".match"):
			v.wrong([]string{path}, "it has no match (write match: GET /api/v2/incremental/*)")
			continue
		case !v.said(path+".class") && !v.said(path+".max_wait") && !v.said(path+".batch"):
			v.wrong([]string{path}, "it says nothing about %s (write class, max_wait or batch)", r.Match)
		}
		for j := range i {
			if first := a.Routes[j].Match; first.String() != "" && r.Match.String() != "" && first.covers(r.Match) {
				v.wrong([]string{path + ".match"}, "no call gets here: routes[%d], %s, matches all of %s and comes first (put the narrower one first)", j, first, r.Match)
				break
			}
		}
	}
}
