package zendesk

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/flyballhq/flyball/limit"
)

// A result is one entry of a finished job's results. Which members it has
// differs from job to job (section 5.2 of the facts).
type result struct {
	Index      json.RawMessage `json:"index"`
	ID         json.RawMessage `json:"id"`
	Action     json.RawMessage `json:"action"`
	Status     json.RawMessage `json:"status"`
	Success    json.RawMessage `json:"success"`
	Error      json.RawMessage `json:"error"`
	Errors     json.RawMessage `json:"errors"`
	Details    json.RawMessage `json:"details"`
	Email      json.RawMessage `json:"email"`
	ExternalID json.RawMessage `json:"external_id"`
	Name       json.RawMessage `json:"name"`
}

// JobReports reads {"job_status":{...}} and {"job_statuses":[...]}.
func (p *Provider) JobReports(body []byte) []limit.JobReport {
	type status struct {
		jobStatus
		Results json.RawMessage `json:"results"`
	}
	var answer struct {
		One  *status  `json:"job_status"`
		Many []status `json:"job_statuses"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return nil
	}
	if answer.One != nil {
		answer.Many = append(answer.Many, *answer.One)
	}
	var reports []limit.JobReport
	for _, s := range answer.Many {
		if s.ID != "" && len(reports) < maxJobs {
			reports = append(reports, limit.JobReport{
				ID: s.ID, Ended: s.ended(), Failed: s.ended() && s.Status != "completed", Results: s.Results,
			})
		}
	}
	return reports
}

// Outcomes matches a job's results with its items: by index, by id, or by a
// field that no two objects share. An entry that says two things at once, or
// two entries that contradict each other, settle nothing. What is left over
// when all agree is settled for all at once: three items and three failures.
func (p *Provider) Outcomes(form *limit.WriteForm, items []limit.WriteItem, job *limit.JobReport, objects map[uint64][]byte) ([]limit.WriteOutcome, []uint64) {
	m := matching{form: form, items: items, outcomes: make([]limit.WriteOutcome, len(items)), disputed: make([]bool, len(items))}
	var results []result
	if json.Unmarshal(job.Results, &results) != nil {
		return m.outcomes, nil // null, an object, or garbage: it names no item
	}
	for i := range results {
		m.take(&results[i])
	}
	m.settle()
	m.claim(objects)
	if len(results) == len(items) && !job.Failed {
		m.eliminate()
	} else if len(results) == len(items) {
		m.eliminateFailures()
	}
	return m.outcomes, m.loose()
}

// A matching is items, and what is known of each so far.
type matching struct {
	form     *limit.WriteForm
	items    []limit.WriteItem
	outcomes []limit.WriteOutcome
	disputed []bool
	rest     []limit.WriteOutcome // of entries that name no item
	spoilt   bool                 // an entry says nothing that can be read
}

func (m *matching) take(r *result) {
	outcome := r.outcome(m.form)
	if !outcome.Known {
		m.spoilt = true
	}
	at, named, ok := m.item(r, &outcome)
	switch {
	case !ok:
		m.spoilt = true
		for _, i := range at {
			m.disputed[i] = true
		}
	case !named:
		m.rest = append(m.rest, outcome)
	case !outcome.Known || m.outcomes[at[0]].Known && m.outcomes[at[0]] != outcome:
		m.disputed[at[0]] = true
	default:
		m.outcomes[at[0]] = outcome
	}
}

// item finds the item that an entry names. Everything that it names must be
// the same one.
func (m *matching) item(r *result, o *limit.WriteOutcome) (at []int, named, ok bool) {
	at = m.byIndex(r)
	if present(r.Index) && at == nil {
		return nil, true, false
	}
	if m.form.Verb != limit.Creates && present(r.ID) {
		byID := m.byID(r.ID)
		if byID < 0 {
			return at, true, false // another object's
		}
		at = append(at, byID)
	}
	if at == nil && o.Status != 0 {
		at = m.byKeys(r)
	}
	for _, i := range at {
		if i != at[0] {
			return at, true, false
		}
	}
	return at, at != nil, true
}

func (m *matching) byIndex(r *result) []int {
	if i, ok := number(r.Index); ok && i < uint64(len(m.items)) {
		return []int{int(i)}
	}
	return nil
}

func (m *matching) byID(text json.RawMessage) int {
	id, ok := number(text)
	if !ok {
		return -1
	}
	for i := range m.items {
		if m.items[i].ID == id {
			return i
		}
	}
	return -1
}

// byKeys finds the one item that has every field which the entry repeats.
func (m *matching) byKeys(r *result) (at []int) {
	fields := r.keys()
	for i := range m.items {
		if agrees(m.items[i].Keys, fields) {
			at = append(at, i)
		}
	}
	if len(at) != 1 {
		return nil
	}
	return at
}

// keys are the fields of an entry, or of an object, that no two objects share.
func (r *result) keys() map[string]string {
	return map[string]string{"email": plain(word(r.Email)), "external_id": plain(word(r.ExternalID)), "name": plain(word(r.Name))}
}

// agrees reports whether the fields hold at least one of the keys and
// contradict none.
func agrees(keys []limit.Field, fields map[string]string) bool {
	same := 0
	for _, k := range keys {
		switch value := fields[k.Name]; value {
		case "":
		case k.Value:
			same++
		default:
			return false
		}
	}
	return same > 0
}

// settle forgets what is disputed, and objects that two items claim.
func (m *matching) settle() {
	made := map[uint64]int{}
	for i := range m.outcomes {
		if o := &m.outcomes[i]; m.form.Verb == limit.Creates && o.Known && o.Status == 0 {
			if first, taken := made[o.ID]; taken {
				m.disputed[i], m.disputed[first] = true, true
			}
			made[o.ID] = i
		}
	}
	for i, disputed := range m.disputed {
		if disputed {
			m.outcomes[i] = limit.WriteOutcome{}
			m.spoilt = true
		}
	}
}

// open lists the items of which nothing is known.
func (m *matching) open() (at []int) {
	for i := range m.outcomes {
		if !m.outcomes[i].Known {
			at = append(at, i)
		}
	}
	return at
}

// eliminate settles the items that are left when the entries that are left all
// say the same of them.
func (m *matching) eliminate() {
	at := m.open()
	if m.spoilt || len(at) == 0 || len(at) != len(m.rest) {
		return
	}
	for _, o := range m.rest {
		if (o.Status == 0) != (m.rest[0].Status == 0) {
			return
		}
	}
	if m.rest[0].Status == 0 && m.form.Verb == limit.Creates && len(at) > 1 {
		return // whose is which?
	}
	said := m.together()
	for _, i := range at {
		m.outcomes[i] = said
		if m.form.Verb != limit.Creates && said.Status == 0 {
			m.outcomes[i].ID = m.items[i].ID
		}
	}
	m.rest = nil
}

// eliminateFailures is eliminate for a job that failed as a whole: only that
// all failed is believed of it.
func (m *matching) eliminateFailures() {
	for _, o := range m.rest {
		if o.Status == 0 {
			return
		}
	}
	m.eliminate()
}

// together is what the entries that are left say of each item: the text of all
// where they differ.
func (m *matching) together() limit.WriteOutcome {
	said := m.rest[0]
	for _, o := range m.rest[1:] {
		if o.Status != said.Status || o.Code != said.Code {
			said.Status, said.Code = http.StatusUnprocessableEntity, "RecordInvalid"
		}
		if o.Text != said.Text && len(said.Text) < maxDetails && !strings.Contains(said.Text, o.Text) {
			said.Text += "; or: " + o.Text
		}
	}
	return said
}

// loose lists the objects that were made for items that are not named.
func (m *matching) loose() (ids []uint64) {
	if m.form.Verb != limit.Creates || len(m.open()) == 0 {
		return nil
	}
	for _, o := range m.rest {
		if o.Known && o.Status == 0 {
			ids = append(ids, o.ID)
		}
	}
	return ids
}

// claim settles the items that one of the objects alone can belong to, and
// that can belong to no other item, by the fields that no two objects share.
func (m *matching) claim(objects map[uint64][]byte) {
	claims := map[uint64][]int{}
	wants := make([]int, len(m.items))
	for _, id := range m.loose() {
		var r result
		if json.Unmarshal(objects[id], &r) != nil {
			continue
		}
		fields := r.keys()
		for _, i := range m.open() {
			if agrees(m.items[i].Keys, fields) {
				claims[id] = append(claims[id], i)
				wants[i]++
			}
		}
	}
	for id, at := range claims {
		if len(at) == 1 && wants[at[0]] == 1 {
			o := limit.WriteOutcome{Known: true, ID: id}
			m.outcomes[at[0]] = o
			m.rest = slices.DeleteFunc(m.rest, func(r limit.WriteOutcome) bool { return r == o })
		}
	}
}

// outcome is what an entry says, whoever it is about.
func (r *result) outcome(form *limit.WriteForm) (o limit.WriteOutcome) {
	id, hasID := number(r.ID)
	failed := says(r.Error) || says(r.Errors) || string(r.Success) == "false" || strings.EqualFold(word(r.Status), "failed")
	if failed {
		o.Known = true
		o.Text = short(firstOf(word(r.Details), word(r.Errors), word(r.Error)))
		o.Status, o.Code = refusalOf(word(r.Error) + " " + o.Text)
		return o
	}
	switch form.Verb {
	case limit.Creates:
		o.Known, o.ID = hasID && id != 0, id
	default:
		o.Known = string(r.Success) == "true" || says(r.Status)
		o.ID = id
	}
	return o
}

// maxDetails bounds what is kept of one item's error.
const maxDetails = 2000

func short(s string) string {
	if len(s) > maxDetails {
		return strings.ToValidUTF8(s[:maxDetails], "")
	}
	return s
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// present reports whether a member is there and not null.
func present(v json.RawMessage) bool { return len(v) > 0 && !bytes.Equal(v, []byte("null")) }

// says reports whether a member says something.
func says(v json.RawMessage) bool {
	switch string(v) {
	case "", "null", `""`, "false", "[]", "{}":
		return false
	}
	return true
}

// word is a string's value, and any other value as it stands.
func word(v json.RawMessage) string {
	if !present(v) {
		return ""
	}
	var s string
	if json.Unmarshal(v, &s) == nil {
		return s
	}
	return string(v)
}

// number reads a whole number, which may stand in quotes.
func number(v json.RawMessage) (uint64, bool) {
	n, err := strconv.ParseUint(strings.Trim(string(v), `"`), 10, 64)
	return n, err == nil
}
