package zendesk

import (
	"strings"
	"testing"

	"github.com/flyballhq/flyball/limit"
)

func TestPlansAreFoundByName(t *testing.T) {
	want := map[string]int{
		"essential": 10, "team": 200, "growth": 400, "professional": 400, "enterprise": 700,
		"enterprise-plus": 2500, "high-volume": 2500, "developer": 700,
		"Suite Enterprise Plus": 2500, "support_team": 200, "": 0, "unknown": 0,
	}
	for name, perMinute := range want {
		p, err := ParsePlan(name)
		if err != nil || p.PerMinute() != perMinute {
			t.Errorf("ParsePlan(%q) = %v with %d a minute, %v; want %d", name, p, p.PerMinute(), err, perMinute)
		}
	}
	for _, p := range Plans() {
		if back, err := ParsePlan(p.String()); err != nil || back != p {
			t.Errorf("plan %v does not come back from its name: %v, %v", p, back, err)
		}
	}
}

func TestUnknownPlanErrorListsTheNames(t *testing.T) {
	_, err := ParsePlan("platinum")
	if err == nil {
		t.Fatal("platinum is no plan")
	}
	for _, p := range Plans() {
		if !strings.Contains(err.Error(), p.String()) {
			t.Errorf("%q does not offer %q", err, p)
		}
	}
}

func TestPrimaryLimitComesFromThePlan(t *testing.T) {
	for _, p := range append(Plans(), UnknownPlan, Plan(200)) {
		support := p.PerMinute()
		if support == 0 {
			support = FirstGuess
		}
		for target, want := range map[string]int{
			"/api/v2/tickets": support, "/api/v2/help_center/articles": p.figures().helpCenter,
			"/api/v2/webhooks": 100, "/api/v2/webhooks/test": 20,
		} {
			req := request(t, "GET", target, "")
			r := New(p).Route(req)
			rule := r.Draws()[0].Rule
			if !rule.Primary || rule.Limit != want || rule.Window != minute || rule.Silent {
				t.Errorf("plan %v, %s: primary rule %+v, want limit %d a minute", p, target, rule, want)
			}
			if p.PerMinute() == 0 && rule.Mark == limit.Binding {
				t.Errorf("%s: an unknown plan binds %+v", target, rule)
			}
		}
	}
}
