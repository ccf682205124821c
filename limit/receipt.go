package limit

import "time"

// A Receipt says what one call cost, and what became of it on the way.
type Receipt struct {
	Route    string        // the kind of call, such as "GET /api/v2/tickets/{id}"; "" when it got no further than the door
	Class    Class         // what it was governed as
	Sends    int           // requests that reached the account for it; of one that went out for many it is 0
	Refused  int           // sends of these that the account refused for a limit's sake
	Held     time.Duration // how long it was held in all
	HeldFor  Hold          // what held it the longest
	Upstream time.Duration // from the last send to its first byte
	SavedBy  Cause         // why it cost no send of its own
	// Limit and Left are what the answer stated of its service's own limit;
	// valid with Stated.
	Limit, Left int
	Stated      bool
}

// Receipt returns what has become of c so far.
func (c *Call) Receipt() Receipt {
	return Receipt{
		Route: c.Route.Class, Class: c.Class, Sends: c.Sends, Refused: int(c.Refused),
		Held: c.Held, HeldFor: c.HeldFor, Upstream: c.Upstream, SavedBy: c.SavedBy,
	}
}
