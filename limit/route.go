package limit

// MaxDraws is the most buckets that one send can draw on.
const MaxDraws = 8

// JobRole says what a route has to do with background jobs.
type JobRole uint8

// The job roles.
const (
	NoJob      JobRole = iota
	StartsJob          // an accepted call leaves a background job running
	ReportsJob         // the answer tells the status of jobs
)

// A Route is what a [Provider] reads out of a request: which counters it
// draws on and what kind of call it is.
type Route struct {
	Service Service
	// Class names the kind of call with ids left out, such as
	// "GET /api/v2/tickets/{id}". HEAD counts as GET. Its values are bounded.
	Class string
	// Shape tells apart query forms that the server limits apart, such as
	// "deep" for deep offset pages; "" for the usual one.
	Shape string
	// Object is the id that the path names, hashed where it is not a number;
	// 0 when it names none.
	Object uint64
	// Credential is a hash of the request's credential, 0 without one. It
	// cannot be turned back.
	Credential uint64
	// Heavy marks routes known to be costly, which are [Bulk] unless the
	// caller says otherwise.
	Heavy bool
	// IdempotencyKeys says that the server honours Idempotency-Key here.
	IdempotencyKeys bool
	Job             JobRole

	draws [MaxDraws]Draw
	n     int
}

// Add appends a draw. Past [MaxDraws] it reports false and adds nothing.
func (r *Route) Add(d Draw) bool {
	if r.n == MaxDraws {
		return false
	}
	r.draws[r.n] = d
	r.n++
	return true
}

// Draws returns the buckets that the catalogue says a send on this route
// draws on, the service's primary one first. The slice is the route's own.
func (r *Route) Draws() []Draw { return r.draws[:r.n] }

// KeyOf returns the key of the bucket that d, one of the route's draws, takes
// from.
func (r *Route) KeyOf(d Draw) Key { return d.Rule.KeyFor(r.Object, r.Credential) }

// PauseKey returns the key of the bucket that stands for the route itself:
// the narrowest thing a refusal can be blamed on. It is the object's when the
// route names one.
func (r *Route) PauseKey() Key {
	return Key{Service: r.Service, ID: r.Class, Object: r.Object}
}
