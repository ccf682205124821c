package limit

import "time"

// A Service is a path family that the server counts apart from the others,
// such as "support" or "help-center".
type Service string

// A Kind says how a rule's buckets are counted.
type Kind uint8

// The kinds of bucket.
const (
	// Window is a counter over a window, heard of in headers: the account's
	// or an endpoint's. It is forecast and paced.
	Window Kind = iota
	// Object is a window over one object (a ticket, a user): counted by us,
	// neither forecast nor paced.
	Object
	// Slots is a number of things that may run at once, such as background
	// jobs. Time alone frees none.
	Slots
	// Pause is a route whose limit nobody states. It holds nothing back until
	// the server has refused a call on it.
	Pause
)

// A Mark says how far a rule of the catalogue is trusted.
type Mark uint8

// The marks.
const (
	// Hint is a rule that was observed once, or that holds for sandboxes or
	// trials: it holds nobody back before a header or a 429 has spoken.
	Hint Mark = iota
	// Binding is a rule documented for every paid plan, with a known scope.
	Binding
)

// A Scope says whom one bucket of a rule counts together.
type Scope uint8

// The scopes.
const (
	// PerAccount counts every call of the account together.
	PerAccount Scope = iota
	// PerObject counts calls on one object together.
	PerObject
	// PerCredential counts calls of one credential together.
	PerCredential
	// PerObjectAndCredential counts calls of one credential on one object.
	PerObjectAndCredential
	// Unknown is the scope of a limit known from a header only. It is taken
	// per object on a route that names one, until two objects are seen to
	// share a countdown.
	Unknown
)

// A Rule is one limit: at most Limit per Window, over Scope. Rules are
// immutable and shared; they are compared by what they say, not by address.
type Rule struct {
	ID      string        // the limit's name, such as "account" or "incremental-exports"
	Service Service       // the service that counts it
	Kind    Kind          // how it is counted
	Scope   Scope         // whom it counts together
	Mark    Mark          // whether it holds before the server has spoken
	Limit   int           // how many; 0 = unknown until the server says
	Window  time.Duration // over which time; 0 = unknown
	// Primary marks a service's own counter, the one that every call to the
	// service draws on and every answer is expected to report.
	Primary bool
	// Silent marks a primary counter that the server is not known to report.
	Silent bool
	Source string // where the rule is stated, for people
}

// A Key names one bucket of an account. It is comparable.
type Key struct {
	Service    Service
	ID         string // the rule's ID; for a [Pause], "route " and the route's class
	Object     uint64 // the object counted, 0 when the bucket is not an object's
	Credential uint64 // a hash of the credential counted, 0 when it is not one credential's
}

// A Draw says that one send costs Cost of a bucket of Rule: which one, says
// [Route.KeyOf]. It does not hold the key, for eight of those would make a call
// twice as large.
type Draw struct {
	Rule *Rule
	Cost int // at least 1
}

// KeyFor returns the key of the bucket of r that a call on object by
// credential draws on.
func (r *Rule) KeyFor(object, credential uint64) Key {
	k := Key{Service: r.Service, ID: r.ID}
	switch r.Scope {
	case PerAccount:
	case PerObject, Unknown:
		k.Object = object
	case PerCredential:
		k.Credential = credential
	case PerObjectAndCredential:
		k.Object, k.Credential = object, credential
	}
	return k
}
