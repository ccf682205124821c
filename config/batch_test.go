package config_test

import (
	"testing"

	"github.com/flyballhq/flyball/config"
)

// Merging is off until the file, or the caller, allows it.
func TestAClientOrARouteAllowsMerging(t *testing.T) {
	c, err := config.Load(config.Source{File: write(t, policies)})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, call, email string
		want              bool
	}{
		{"a stranger", "GET /api/v2/users/7", "", false},
		{"a client that may", "GET /api/v2/users/7", "ann@example.com", true},
		{"a client of which nothing is said", "GET /api/v2/users/7", "etl@example.com", false},
		{"a route that may", "GET /api/v2/tickets/7.json", "etl@example.com", true},
		{"another method", "PUT /api/v2/tickets/7.json", "etl@example.com", false},
		{"below the route", "GET /api/v2/tickets/7/comments", "etl@example.com", false},
	} {
		if got := c.Settings().Decide(request(t, tt.call, tt.email)).Batch; got != tt.want {
			t.Errorf("%s: Batch is %v, want %v", tt.name, got, tt.want)
		}
	}
}
