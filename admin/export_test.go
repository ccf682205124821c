package admin

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// Pages are the paths of an admin handler, but for health.
func Pages(h http.Handler) []string { return slices.Sorted(maps.Keys(h.(*handler).pages)) }

// SetStuck makes streams end sooner for readers that take nothing.
func (s *Events) SetStuck(d time.Duration) { s.stuck = d }
