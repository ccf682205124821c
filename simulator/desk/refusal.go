package desk

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// maxBulk is the most items of one bulk call (zendesk-facts 5.1).
const maxBulk = 100

// fail is Zendesk's usual refusal.
func fail(status int, code, description string) *answer {
	return &answer{status: status, reason: description, body: encode(struct {
		Error       string `json:"error"`
		Description string `json:"description"`
	}{code, description})}
}

func notFound() *answer { return fail(http.StatusNotFound, "RecordNotFound", "Not found") }

// titled is the refusal whose error is an object.
func titled(status int, title, message string) *answer {
	var v struct {
		Error struct {
			Title   string `json:"title"`
			Message string `json:"message"`
		} `json:"error"`
	}
	v.Error.Title, v.Error.Message = title, message
	return &answer{status: status, body: encode(v)}
}

func invalidAttribute(name, rule string) *answer {
	return titled(http.StatusBadRequest, "Invalid attribute",
		"You passed an invalid value for the "+name+" attribute. Invalid parameter: "+name+" "+rule)
}

// coded is the refusal that lists errors.
func coded(status int, code, title string) *answer {
	type entry struct {
		Code  string `json:"code"`
		Title string `json:"title"`
	}
	return &answer{status: status, body: encode(map[string][]entry{"errors": {{code, title}}})}
}

func badPage(title string) *answer {
	return coded(http.StatusBadRequest, "InvalidPaginationParameter", title)
}

// tooManyValues is the literal answer to over 100 ids or items (recorded, two
// spaces).
func tooManyValues() *answer {
	return &answer{status: http.StatusBadRequest, body: []byte(`{"error":"TooManyValues","description":"Parameter  cannot specify more than 100 values","max_count":100}`)}
}

// tooManyUsers is what users' bulk endpoints say instead (recorded).
func tooManyUsers() *answer {
	return &answer{status: http.StatusBadRequest, body: []byte(`{"error":"TooManyValues","description":"Maximum 100 users may be created per call"}`)}
}

// problem is one validation error.
type problem struct {
	field       string
	Description string `json:"description"`
	Error       string `json:"error,omitempty"`
}

// recordInvalid is the 422 of failed validations.
func recordInvalid(problems ...problem) *answer {
	details := map[string][]problem{}
	var reasons []string
	for _, p := range problems {
		reasons = append(reasons, p.Description)
		details[p.field] = append(details[p.field], p)
	}
	return &answer{status: http.StatusUnprocessableEntity, reason: strings.Join(reasons, ", "), body: encode(struct {
		Error       string               `json:"error"`
		Description string               `json:"description"`
		Details     map[string][]problem `json:"details"`
	}{"RecordInvalid", "Record validation errors", details})}
}

// badJSON refuses a body that is not JSON, or not of the right types.
func badJSON(err error) *answer {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		name := wrong.Field
		if name == "" {
			name = "request body"
		}
		return invalidAttribute(name, "cannot be "+indefinite(wrong.Value))
	}
	return titled(http.StatusBadRequest, "Unprocessable Entity", "Server could not parse JSON")
}

func indefinite(value string) string {
	kind, _, _ := strings.Cut(value, " ")
	if strings.ContainsRune("aeiou", rune((kind + " ")[0])) {
		return "an " + kind
	}
	return "a " + kind
}

// unsimulated are families of the API that Zendesk has and the desk lacks, so
// that a caller can tell a gap of the simulator from a wrong path.
var unsimulated = map[string]bool{}

func init() {
	for _, name := range strings.Fields(`account activities any_channel apps attachments audit_logs autocomplete automations
		bookmarks brands business_hours calls channels chat community custom_objects custom_roles custom_statuses
		deleted_users dynamic_content email_notifications engagements group_memberships guide help_center imports
		integrations locales macros oauth object_layouts organization_fields organization_memberships
		organization_merges organization_subscriptions organizations groups problems push_notification_devices
		queues recipient_addresses relationships requests resource_collections routing satisfaction_ratings
		satisfaction_reasons search sessions sharing_agreements skips slas support_addresses suspended_tickets
		tags target_failures targets ticket_audits ticket_fields ticket_forms ticket_metrics tickets time_zones
		triggers trigger_categories user_fields users views voice webhooks workspaces zis incremental
		job_statuses uploads`) {
		unsimulated[name] = true
	}
}

// unknown answers a call to no endpoint of ours.
func (c *call) unknown() answer {
	rest, api := strings.CutPrefix(c.path, "/api/v2/")
	family, _, _ := strings.Cut(rest, "/")
	if api && unsimulated[family] {
		return *fail(http.StatusNotImplemented, "NotSimulated", c.Method+" "+c.path+" is not simulated")
	}
	return *fail(http.StatusNotFound, "InvalidEndpoint", "Not found")
}
