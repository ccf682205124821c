package zendesk

import (
	"fmt"
	"strings"
)

// A Plan is an account's Zendesk plan, which sets its calls per minute until
// the account's own answers have stated the real figure. The zero value is
// [UnknownPlan].
type Plan uint8

// The plans. Their figures are documented at [RL].
const (
	UnknownPlan Plan = iota
	Essential        // Support Essential, no longer sold
	Team
	Growth
	Professional
	Enterprise
	EnterprisePlus
	HighVolume // the High Volume API add-on on any plan
	Developer  // trial, sponsored and developer accounts, as observed in [ZP]
	planCount
)

// FirstGuess is the calls per minute to the Support API that an account of
// unknown plan is taken to have when its answers state no limit: the smallest
// figure of the plans sold today.
const FirstGuess = 200

type planFigures struct {
	name                string
	support, helpCenter int // calls per minute, 0 = unknown
	chat, sunshine      int
}

var planTable = [planCount]planFigures{
	UnknownPlan:    {name: "unknown"},
	Essential:      {name: "essential", support: 10, helpCenter: 10},
	Team:           {name: "team", support: 200, helpCenter: 200, chat: 200, sunshine: 250},
	Growth:         {name: "growth", support: 400, helpCenter: 400, chat: 200, sunshine: 250},
	Professional:   {name: "professional", support: 400, helpCenter: 400, chat: 200, sunshine: 500},
	Enterprise:     {name: "enterprise", support: 700, helpCenter: 700, chat: 200, sunshine: 700},
	EnterprisePlus: {name: "enterprise-plus", support: 2500, helpCenter: 2500, chat: 200, sunshine: 1000},
	HighVolume:     {name: "high-volume", support: 2500, helpCenter: 2500, chat: 200},
	Developer:      {name: "developer", support: 700, helpCenter: 700},
}

// Plans returns every plan but [UnknownPlan], the smallest first.
func Plans() []Plan {
	plans := make([]Plan, 0, planCount-1)
	for p := UnknownPlan + 1; p < planCount; p++ {
		plans = append(plans, p)
	}
	return plans
}

// String returns the plan's name as [ParsePlan] reads it.
func (p Plan) String() string { return p.figures().name }

// PerMinute returns the plan's calls per minute to the Support API, 0 when the
// plan is unknown.
func (p Plan) PerMinute() int { return p.figures().support }

func (p Plan) figures() *planFigures {
	if p >= planCount {
		p = UnknownPlan
	}
	return &planTable[p]
}

// ParsePlan returns the plan of that name in any case, with spaces or
// underscores for hyphens and with or without a leading "suite" or "support".
// The empty name and "unknown" are [UnknownPlan]. Its error lists the names.
func ParsePlan(name string) (Plan, error) {
	folded := strings.NewReplacer(" ", "-", "_", "-").Replace(strings.ToLower(strings.TrimSpace(name)))
	folded = strings.TrimPrefix(strings.TrimPrefix(folded, "suite-"), "support-")
	if folded == "" {
		return UnknownPlan, nil
	}
	names := make([]string, 0, planCount)
	for p := range planCount {
		if planTable[p].name == folded {
			return p, nil
		}
		if p != UnknownPlan {
			names = append(names, planTable[p].name)
		}
	}
	return UnknownPlan, fmt.Errorf("no Zendesk plan is called %q: use one of %s, or leave it out to learn the limit from the answers",
		name, strings.Join(names, ", "))
}
