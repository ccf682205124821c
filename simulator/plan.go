package simulator

import (
	"fmt"
	"slices"
	"strings"
)

// tier chooses a column of the endpoint limits.
type tier int

const (
	tierPaid tier = iota
	tierAddOn
	tierSandbox
	tierTrial
	tiers
)

// plan holds what an account's plan decides.
type plan struct {
	name    string
	account int // requests a minute; the Help Center has as many of its own
	tier    tier
}

// plans are the requests a minute by plan [RL]; the 700 of sandbox and trial
// accounts is recorded [ZP].
var plans = []plan{
	{"suite-team", 200, tierPaid},
	{"suite-growth", 400, tierPaid},
	{"suite-professional", 400, tierPaid},
	{"suite-enterprise", 700, tierPaid},
	{"suite-enterprise-plus", 2500, tierAddOn},
	{"support-essential", 10, tierPaid},
	{"support-team", 200, tierPaid},
	{"support-professional", 400, tierPaid},
	{"support-enterprise", 700, tierPaid},
	{"high-volume", 2500, tierAddOn},
	{"sandbox", 700, tierSandbox},
	{"trial", 700, tierTrial},
}

const defaultPlan = "suite-enterprise"

// Plans lists the names Options.Plan takes. The prefix "suite-" may be left out.
func Plans() []string {
	names := make([]string, len(plans))
	for i, p := range plans {
		names[i] = p.name
	}
	return names
}

func findPlan(name string) (plan, error) {
	if name == "" {
		name = defaultPlan
	}
	for _, candidate := range []string{name, "suite-" + name} {
		at := slices.IndexFunc(plans, func(p plan) bool { return p.name == candidate })
		if at >= 0 {
			return plans[at], nil
		}
	}
	return plan{}, fmt.Errorf("unknown plan %q; the plans are %s", name, strings.Join(Plans(), ", "))
}
