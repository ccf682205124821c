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

// refusalBody is the body of Zendesk's own refusal, section 4.2 of the facts.
func refusalBody(o limit.WriteOutcome) []byte {
	type description struct {
		Description string `json:"description"`
	}
	var v any
	switch o.Status {
	case http.StatusNotFound:
		v = map[string]string{"error": o.Code, "description": "Not found"}
	case http.StatusUnprocessableEntity:
		v = map[string]any{
			"error": o.Code, "description": "Record validation errors",
			"details": map[string][]description{"base": {{o.Text}}},
		}
	default:
		v = map[string]string{"error": o.Code, "description": o.Text}
	}
	body, err := json.Marshal(v)
	if err != nil {
		return nil // strings alone always have a form
	}
	return body
}
