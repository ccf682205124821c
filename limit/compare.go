package limit

import "net/http"

// A Comparer knows which writes of one object change nothing when their
// fields say what the object says already. A [Provider] may be one. It is
// pure, as a provider is; all methods may be called at once and none may panic
// on any input.
type Comparer interface {
	Keeper
	// Compares returns the form by which the object that req reads or writes
	// alone is compared; nil when it is not. It reads the method and the URL
	// only.
	Compares(req *http.Request) *CompareForm
	// Spreads appends the names, as [CompareForm.Besides] has them, of what a
	// write may have changed in objects that [Keeper.Touches] does not name.
	Spreads(tags []string, route *Route) []string
}

// A CompareForm says how a write of one object is compared with the object.
// Forms are immutable, shared and compared by address.
type CompareForm struct {
	One string // the member that holds the object in a call and its answer
	// Fields are those that may be compared. A write with any other field is
	// never taken for one that changes nothing.
	Fields map[string]CompareField
	// Steady reports whether an object, decoded with numbers as
	// [encoding/json.Number], is one that is changed by writes to itself
	// alone, and that its writers may write to.
	Steady func(object map[string]any) bool
	// Besides names what its objects depend on beside what [Keeper.Holds]
	// says.
	Besides []string
}

// A CompareField says how one field is compared.
type CompareField struct {
	How Comparison
	// With is a field that decides besides: where the object has one, the
	// write must name it too. "" when there is none.
	With string
}

// A Comparison is a way to compare a field's values.
type Comparison uint8

// The comparisons.
const (
	ByValue Comparison = iota + 1 // one value, no list and no object
	ByKey                         // an object: each member that is written
	ByID                          // a list of {"id":1,"value":2}: each item that is written
)
