package limit

import (
	"net/http"
	"net/url"
	"time"
)

// A Keeper is a [Provider] that knows how far its answers may be kept. Like a
// provider it is pure, may be called at once and never panics.
type Keeper interface {
	Provider
	// Settled lists the classes of the routes that read what rarely changes.
	Settled() []string
	// Holds appends the names of what the answer to a read depends on: at most
	// eight, each at most 200 bytes.
	Holds(tags []string, route *Route, u *url.URL) []string
	// Touches appends the names of what a write may have changed. An answer
	// is out of date when it holds one of them. When in doubt it names more.
	Touches(tags []string, route *Route, method string, u *url.URL) []string
	// Restate makes the header of an answer that cost no send say what the
	// service's own limit is now, in the spelling that it has, and takes out
	// what it says of other limits: that is no longer so.
	Restate(route *Route, header http.Header, now Standing)
}

// A Standing is what is left of a limit now. The zero value is not known.
type Standing struct {
	Limit int
	Left  int
	Reset time.Duration // until the window ends; 0 when not known
}
