package simulator

// service is a family of paths with a counter and a way of showing it.
type service struct {
	name  string
	limit string // the rule that counts its calls; empty is none
	style style
}

// style is which limit headers a service sends.
type style int

const (
	styleFull  style = iota // x-rate-limit* and ratelimit-*, endpoint headers
	styleShort              // x-rate-limit* only
	styleNone
)

// The services, as recorded [ZP]: Help Center, webhooks and Talk partner count
// for themselves under the account's header names and send no reset;
// engagements send nothing.
var (
	support     = &service{"support", limitAccount, styleFull}
	helpCenter  = &service{"help-center", limitHelpCenter, styleShort}
	webhooks    = &service{"webhooks", limitWebhooks, styleShort}
	webhookTest = &service{"webhooks-test", limitWebhookTest, styleShort}
	talkPartner = &service{"talk-partner", limitTalkPartner, styleShort}
	engagements = &service{"engagements", "", styleNone}
	attachments = &service{"attachments", "", styleNone}
	nowhere     = &service{"none", "", styleNone}
)

// serviceOf names the service a path belongs to.
func serviceOf(method string, r *route) *service {
	if r.n < 3 || r.parts[0] != "api" || r.parts[1] != "v2" {
		if r.parts[0] == "attachments" {
			return attachments
		}
		return nowhere
	}
	switch r.parts[2] {
	case "help_center", "community", "guide":
		return helpCenter
	case "webhooks":
		if method == "POST" && r.n == 4 && r.parts[3] == "test" {
			return webhookTest
		}
		return webhooks
	case "calls":
		return talkPartner
	case "engagements":
		return engagements
	}
	return support
}
