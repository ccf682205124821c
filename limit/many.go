package limit

import "net/http"

// A Batcher knows which calls about one object have a form for many. A
// [Provider] may be one. It is pure, as a provider is; all methods may be
// called at once and none may panic on any input.
type Batcher interface {
	// Singles lists the classes of route (see [Route]) whose calls may have a
	// form for many.
	Singles() []string
	// SingleRead returns the form for many of a read of one object, and the
	// object's id; nil when there is none that answers the same. It reads the
	// method and the URL only.
	SingleRead(req *http.Request) (form *ReadForm, id uint64)
}

// A ReadForm says how objects of one kind are read many at a time, and how
// the answers differ: {"ticket":{...}} and {"tickets":[{...},...]}. Forms are
// immutable, shared and compared by address.
type ReadForm struct {
	Path  string // of the call for many; its query is ids=1,2,3
	Most  int    // ids in one call
	One   string // the member that holds the object in the answer for one
	Many  string // the member that holds the list in the answer for many
	Class string // the route's class of the call for one
}
