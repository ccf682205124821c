package admin

import "time"

// SetStuck makes streams end sooner for readers that take nothing.
func (s *Events) SetStuck(d time.Duration) { s.stuck = d }
