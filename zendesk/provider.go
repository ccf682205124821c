package zendesk

import "github.com/flyballhq/flyball/limit"

// A Provider is the Zendesk API as seen by flyball. Its zero value is an
// account of unknown plan and is ready to use; all methods may be called at
// once and none fails or panics.
type Provider struct {
	// Plan sets the limits assumed until the account's answers state them. An
	// unknown plan assumes [FirstGuess] for the Support API, as a hint.
	Plan Plan
}

var _ limit.Provider = (*Provider)(nil)

// New returns a provider for an account on that plan.
func New(plan Plan) *Provider { return &Provider{Plan: plan} }

// primary returns the service's own counter under the provider's plan.
func (p *Provider) primary(i serviceIndex) *limit.Rule {
	plan := p.Plan
	if plan >= planCount {
		plan = UnknownPlan
	}
	return &primaries[plan][i]
}
