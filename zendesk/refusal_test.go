package zendesk

import (
	"net/http"
	"testing"
)

func TestRefusalNamesTheLimitThatItsBodyNames(t *testing.T) {
	for _, c := range []struct{ target, body, rule string }{
		{"GET /api/v2/users", "Number of allowed API requests per minute exceeded", "account"},
		{"GET /api/v2/incremental/tickets", `{"error":"APIRateLimitExceeded","description":"Number of allowed incremental export API requests per minute exceeded"}`, "incremental-exports"},
	} {
		r := routeOf(t, c.target[:3], c.target[4:])
		got := New(Team).Refusal(&r, 429, http.Header{}, []byte(c.body))
		if !got.Limit || got.Permanent || got.Rule == nil || got.Rule.ID != c.rule {
			t.Errorf("%s %q: %+v", c.target, c.body, got)
		}
	}
}
