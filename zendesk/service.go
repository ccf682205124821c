package zendesk

import (
	"strings"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// The services: path families that Zendesk counts apart from each other, most
// of them under the same header names.
const (
	Support      limit.Service = "support"       // /api/v2/..., the account's main counter
	HelpCenter   limit.Service = "help-center"   // help_center, community, external content
	Guide        limit.Service = "guide"         // guide, gather: whether they share Help Center's counter is unknown
	Webhooks     limit.Service = "webhooks"      // own counter of 100, seen in [ZP]
	WebhooksTest limit.Service = "webhooks-test" // own counter of 20, two a call, seen in [ZP]
	Talk         limit.Service = "talk"          // /api/v2/calls: states 700 of 700 on every answer, seen in [ZP]
	Voice        limit.Service = "voice"         // /api/v2/channels/voice
	Chat         limit.Service = "chat"          // Live Chat
	Sunshine     limit.Service = "sunshine"      // legacy custom objects, profiles, events
	Mobile       limit.Service = "mobile"        // the mobile SDK's paths
	Attachments  limit.Service = "attachments"   // /attachments/token/...
	OAuth        limit.Service = "oauth"         // /oauth/...
	Unmetered    limit.Service = "unmetered"     // engagements, Jira links: no limit is stated
	Other        limit.Service = "other"         // anything else on the host
)

// PrimaryID is the ID of every service's primary rule.
const PrimaryID = "account"

// serviceIndex is a service's place in the table of primary rules.
type serviceIndex uint8

const otherIndex = serviceIndex(13)

var services = [...]limit.Service{
	Support, HelpCenter, Guide, Webhooks, WebhooksTest, Talk, Voice,
	Chat, Sunshine, Mobile, Attachments, OAuth, Unmetered, Other,
}

// servicePaths gives each path family its service; the longest prefix wins.
var servicePaths = []struct {
	prefix  string
	service limit.Service
}{
	{"/api/v2", Support},
	{"/api/v2/help_center", HelpCenter},
	{"/api/v2/community", HelpCenter},
	{"/api/v2/guide", Guide},
	{"/api/v2/guide/external_content", HelpCenter}, // "uses the Help Center limit" [RL]
	{"/api/v2/external_content", HelpCenter},
	{"/api/v2/gather", Guide},
	{"/api/v2/webhooks", Webhooks},
	{"/api/v2/webhooks/test", WebhooksTest},
	{"/api/v2/calls", Talk},
	{"/api/v2/channels/voice", Voice},
	{"/api/v2/chat", Chat},
	{"/api/v2/engagements", Unmetered},
	{"/api/services/jira", Unmetered},
	{"/api/sunshine", Sunshine},
	{"/api/mobile", Mobile},
	{"/access/sdk", Mobile},
	{"/attachments", Attachments},
	{"/oauth", OAuth},
}

// serviceOf returns the place of the service that counts pattern.
func serviceOf(pattern string) serviceIndex {
	found, length := Other, -1
	for _, p := range servicePaths {
		within := pattern == p.prefix || strings.HasPrefix(pattern, p.prefix+"/")
		if within && len(p.prefix) > length {
			found, length = p.service, len(p.prefix)
		}
	}
	return indexOf(found)
}

func indexOf(s limit.Service) serviceIndex {
	for i, known := range services {
		if known == s {
			return serviceIndex(i)
		}
	}
	return otherIndex
}

// primaries holds each plan's primary rules, so that [Provider.Route] hands
// out pointers and allocates nothing.
var primaries = makePrimaries()

// Primaries returns the services' own counters as they are assumed on a plan
// until answers state them. The rules are shared and must not be changed.
func Primaries(p Plan) []*limit.Rule {
	if p >= planCount {
		p = UnknownPlan
	}
	rules := make([]*limit.Rule, len(services))
	for i := range rules {
		rules[i] = &primaries[p][i]
	}
	return rules
}

func makePrimaries() (all [planCount][len(services)]limit.Rule) {
	for p := range planCount {
		for i, s := range services {
			all[p][i] = primaryRule(p, s)
		}
	}
	return all
}

// primaryRule returns the service's own counter on that plan.
func primaryRule(p Plan, s limit.Service) limit.Rule {
	r := limit.Rule{
		ID: PrimaryID, Service: s, Kind: limit.Window, Scope: limit.PerAccount,
		Mark: limit.Hint, Window: time.Minute, Primary: true,
	}
	f := p.figures()
	byPlan := func(n int, source string) {
		r.Source = source
		if r.Limit = n; n > 0 && p != Developer {
			r.Mark = limit.Binding
		}
	}
	switch s {
	case Support:
		byPlan(f.support, "[RL] by plan")
		if f.support == 0 {
			r.Limit, r.Source = FirstGuess, "first guess: the smallest plan sold today [RL]"
		}
	case HelpCenter:
		byPlan(f.helpCenter, "[RL] by plan, its own counter")
	case Chat:
		byPlan(f.chat, "C1 [RL][CHAT]")
		r.Silent = true
	case Sunshine:
		byPlan(f.sunshine, "[RL] by plan")
		r.Silent = true
	case Guide:
		r.Source = "content_tags seen to state its own 700 [ZP]"
	case Webhooks:
		r.Limit, r.Source = 100, "W1 [ZP]"
	case WebhooksTest:
		r.Limit, r.Source = 20, "W2 [ZP]"
	case Talk:
		r.Source = "states 700 of 700 on every answer [ZP]"
	case Voice:
		r.Limit, r.Window, r.Mark = 15000, 5*time.Minute, limit.Binding
		r.Silent, r.Source = true, "K1 [TALK]"
	case Attachments:
		r.Limit, r.Mark, r.Silent, r.Source = 2500, limit.Binding, true, "T15 [RL]"
	default:
		r.Silent, r.Source = true, "no limit is stated"
	}
	return r
}
