package simulator

import (
	"strconv"
	"time"

	"github.com/flyballhq/flyball/simulator/desk"
)

// record is what the raw log keeps of one request. Its later half is filled in
// when the account has decided.
type record struct {
	arrived time.Time
	decided time.Time // zero until then
	method  string
	path    string
	service *service
	draws   []counted
	status  int
	cause   string // of a refusal; empty if there was none
	cut     bool   // the connection was broken
	changed changes
}

// bucket names one bucket a request drew on.
type bucket struct {
	rule *rule
	key  key
}

// name is the bucket's name in the ledger: the rule's, and for a bucket of one
// record or user "rule:record@user".
func (b bucket) name() string {
	name := b.rule.name
	if b.key.target != 0 {
		name += ":" + strconv.FormatUint(b.key.target, 10)
	}
	if b.key.user != 0 {
		name += "@" + strconv.FormatUint(b.key.user>>40, 16)
	}
	return name
}

// counted is a bucket in the window that a request fell into.
type counted struct {
	bucket
	start, end int64 // Unix nanoseconds
}

// changes are the records that one request changed.
type changes struct {
	list       []change
	duplicates int
}

// change counts the records of one kind a request changed in one way.
type change struct {
	what string // such as "ticket update"
	n    int
}

// otherCall is one call of the other consumers.
type otherCall struct {
	at         time.Time
	refused    bool
	start, end int64 // of the account's window, Unix nanoseconds
}

// journal is the raw log: every request in order of arrival, and the others'
// calls. What grows too old is added up and dropped.
type journal struct {
	account *rule // the others' bucket; nil if it is switched off
	keep    int
	began   time.Time
	records []*record
	others  []otherCall
	old     *tally // of what was dropped
}

func newJournal(keep int, account *rule, began time.Time) *journal {
	return &journal{account: account, keep: keep, began: began, old: newTally()}
}

func (j *journal) arrive(r *record) {
	j.records = append(j.records, r)
	if len(j.records) > 2*j.keep {
		j.drop()
	}
}

func (j *journal) other(f otherCall) {
	j.others = append(j.others, f)
	if len(j.others) > 2*j.keep {
		for _, f := range j.others {
			j.old.other(f, j.account)
		}
		j.others = j.others[:0]
	}
}

// drop adds up the older half. Requests still under way stay.
func (j *journal) drop() {
	cut := len(j.records) - j.keep
	var kept []*record
	for i, r := range j.records {
		if i < cut && !r.decided.IsZero() {
			j.old.record(r)
			j.old.dropped++
			continue
		}
		kept = append(kept, r)
	}
	j.records = kept
	j.old.trim(2 * j.keep)
}

// late adds changes that no request of the log made: background jobs'.
func (j *journal) late(list []desk.Change) {
	c := sum(list)
	j.old.duplicates += c.duplicates
	for _, one := range c.list {
		j.old.changed[one.what] += one.n
	}
}

// sum counts changed records by kind and verb.
func sum(list []desk.Change) (c changes) {
	for _, one := range list {
		if one.Duplicate {
			c.duplicates++
		}
		what := one.Kind + " " + one.Verb
		if n := len(c.list); n > 0 && c.list[n-1].what == what {
			c.list[n-1].n++
			continue
		}
		c.list = append(c.list, change{what, 1})
	}
	return c
}
