package limit

import "net/http"

// A BulkWriter knows which writes of one object may be one item of a
// background job, how the job is asked for, and what it says became of each
// item. A [Provider] may be one. It is pure, as a provider is; all methods may
// be called at once and none may panic on any input.
type BulkWriter interface {
	// SingleWrite returns the form for many of a write of one object, and the
	// object's id, 0 for a creation; nil when there is none that does the
	// same. It reads the method, URL and header only.
	SingleWrite(req *http.Request) (form *WriteForm, id uint64)
	// WriteItem reads the body of such a call. It reports false when the body
	// is not one that means the same as an item of a job.
	WriteItem(form *WriteForm, id uint64, body []byte) (item WriteItem, ok bool)
	// BulkWrite returns the query and the body of the call that asks for these
	// items, of which there are at most form.Most.
	BulkWrite(form *WriteForm, items []WriteItem) (query string, body []byte)
	// JobReports reads what an answer's body says of jobs: the answer to the
	// call for many, or to that of JobsRead.
	JobReports(body []byte) []JobReport
	// JobsRead returns the path and the query that read the status of jobs, of
	// at most [MaxJobsRead].
	JobsRead(ids []string) (path, query string)
	// Outcomes says what an ended job did with each item, in their order, and
	// lists the objects that the job made for items which it does not name.
	// With these objects, read back, it tells whose they are where it can.
	Outcomes(form *WriteForm, items []WriteItem, job *JobReport, objects map[uint64][]byte) (outcomes []WriteOutcome, loose []uint64)
	// WriteAnswer returns what the single call would have answered: the
	// object, if it was read back, in the single answer's form.
	WriteAnswer(form *WriteForm, outcome WriteOutcome, object []byte) SingleAnswer
}

// MaxJobsRead is how many jobs are read at once.
const MaxJobsRead = 100

// A Verb is what a write does to its object.
type Verb uint8

// The verbs.
const (
	Creates Verb = iota + 1
	Updates
	Deletes
)

// A WriteForm says how writes of one kind are asked for many at a time. Forms
// are immutable, shared and compared by address.
type WriteForm struct {
	Class  string // the route's class of the single call
	Verb   Verb
	Method string // of the call for many
	Path   string
	Most   int    // items in one job
	One    string // the member that holds the object in a single call and its answer
	Many   string // the member that holds the list in the call for many and in Read's answer
	Read   string // the path that reads many objects; its query is ids=1,2,3
	// Lacks names what a single answer has and a merged one has not, such as
	// "audit"; "" when nothing.
	Lacks string
}

// A WriteItem is one single write as an item of a job.
type WriteItem struct {
	ID   uint64 // of the object, 0 for a creation
	JSON []byte // nil where the id says all
	// Keys are the fields that no two objects of an account share, such as
	// "email": they tell apart what a job made.
	Keys []Field
	// Adds says that doing it twice is not the same as doing it once.
	Adds bool
}

// A Field is one field of an object.
type Field struct{ Name, Value string }

// A JobReport is what an answer says of one job.
type JobReport struct {
	ID      string
	Ended   bool
	Failed  bool   // as a whole: what it did not name was perhaps done, perhaps not
	Results []byte // as they stand in the answer
}

// A WriteOutcome is what a job did with one item. The zero value says that it
// is not known.
type WriteOutcome struct {
	Known bool
	// ID is the object's, when the item was done.
	ID uint64
	// Status is that of the refusal that the single call would have had, 0
	// when the item was done.
	Status int
	Code   string // the refusal's, such as "RecordInvalid"
	Text   string // what the job said of it
}

// A SingleAnswer is an answer to one of many.
type SingleAnswer struct {
	Status   int
	Location string // of a new object, "" when there is none
	Body     []byte // JSON, nil when there is none
}
