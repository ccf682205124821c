package accesslog_test

import (
	"strings"
	"testing"

	"github.com/flyballhq/flyball/audit/accesslog"
)

// A scrubbed path says how a list is read, and nothing of what is in it.
func TestScrubbedPathsHoldNoValues(t *testing.T) {
	for _, test := range []struct{ path, query, want string }{
		{"/api/v2/tickets.json", "", "/api/v2/tickets.json"},
		{"/api/v2/tickets/35436/comments.json", "page=2&per_page=100", "/api/v2/tickets/35436/comments.json?page=2&per_page=100"},
		{"/api/v2/tickets", "page%5Bsize%5D=100&page[after]=eyJvIjoibmljZV9pZCJ9", "/api/v2/tickets?page%5Bsize%5D=100&page[after]=-"},
		{"/api/v2/users/search.json", "query=jane@example.com", "/api/v2/users/search.json?query=-"},
		{"/api/v2/users/show_many", "ids=1,2,3&include=groups", "/api/v2/users/show_many?ids=1,2,3&include=groups"},
		{"/attachments/token/6bk3gql82em5nmf6bk3gql82em5nmf/", "name=secret.pdf", "/attachments/token/-/?name=-"},
		{"/api/v2/help_center/en-us/articles/115001.json", "", "/api/v2/help_center/en-us/articles/115001.json"},
	} {
		if got := accesslog.ScrubPath(test.path, test.query); got != test.want {
			t.Errorf("ScrubPath(%q, %q) = %q, want %q", test.path, test.query, got, test.want)
		}
	}
}

// Two queries whose values are hidden are told apart by their hash alone.
func TestHiddenQueriesAreToldApart(t *testing.T) {
	a, b := accesslog.QueryHash("query=jane"), accesslog.QueryHash("query=joe")
	if a == b || len(a) != 12 || strings.Trim(a, "0123456789abcdef") != "" || accesslog.QueryHash("") != "" {
		t.Errorf("hashes %q and %q", a, b)
	}
}
