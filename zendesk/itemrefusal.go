package zendesk

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/flyballhq/flyball/limit"
)

// refusals are the statuses of what a job says of a failed item, by words that
// its error or details hold. Anything else is a 422, as failed validations are.
var refusals = []struct {
	words  []string
	status int
	code   string
}{
	{[]string{"not found", "notfound", "does not exist", "doesn't exist"}, http.StatusNotFound, "RecordNotFound"},
	{[]string{"safe update", "conflict"}, http.StatusConflict, "UpdateConflict"},
	{[]string{"denied", "forbidden", "not authorized", "unauthorized", "not allowed to"}, http.StatusForbidden, "Forbidden"},
}

func refusalOf(said string) (int, string) {
	said = strings.ToLower(said)
	for _, r := range refusals {
		for _, word := range r.words {
			if strings.Contains(said, word) {
				return r.status, r.code
			}
		}
	}
	return http.StatusUnprocessableEntity, "RecordInvalid"
}

// A refusal is the body of Zendesk's own refusal, section 4.2 of the facts: in
// its order, for some clients show the text as it stands.
type refusal struct {
	Error       string                  `json:"error"`
	Description string                  `json:"description"`
	Details     map[string][]validation `json:"details,omitempty"`
}

type validation struct {
	Description string `json:"description"`
}

func refusalBody(o limit.WriteOutcome) []byte {
	r := refusal{Error: o.Code, Description: o.Text}
	switch o.Status {
	case http.StatusNotFound:
		r.Description = "Not found"
	case http.StatusUnprocessableEntity:
		r.Description = "Record validation errors"
		r.Details = map[string][]validation{"base": {{o.Text}}}
	}
	body, err := json.Marshal(r)
	if err != nil {
		return nil // strings alone always have a form
	}
	return body
}
