package admission

import (
	"time"

	"github.com/flyballhq/flyball/limit"
)

// Standing is what is left now of the limit that all calls of the route's
// service draw on; zero as long as it is not known.
func (c *Controller) Standing(route *limit.Route) limit.Standing {
	draws := route.Draws()
	if len(draws) == 0 {
		return limit.Standing{}
	}
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.account.Standing(now, route.KeyOf(draws[0]))
}
