package desk

import (
	"strings"
	"time"
)

// JobFault is how the job that a request starts goes wrong. Other requests
// ignore it. The zero value is a job without fault.
type JobFault struct {
	// Items is how many of the items fail, chosen by the seed; all if there are
	// fewer.
	Items int
	// Failed makes the job end as failed, with none of its items done and no
	// results.
	Failed bool
	// Stuck makes the job never end: it works on its first item for ever.
	Stuck bool
	// Unseen is how long the job's id answers 404.
	Unseen time.Duration
	// Results changes the entries' form.
	Results ResultForm
}

// ResultForm is the form of a job's results where it is not the recorded one,
// which differs from job to job.
type ResultForm string

// The forms of results.
const (
	ResultsIndex         ResultForm = "index"          // each entry has its index
	ResultsID            ResultForm = "id"             // none has
	ResultsShuffled      ResultForm = "shuffled"       // as recorded, in another order
	ResultsIndexShuffled ResultForm = "index+shuffled" // each has its index, in another order
	ResultsIDShuffled    ResultForm = "id+shuffled"    // none has, in another order
)

// ResultForms lists them.
func ResultForms() []ResultForm {
	return []ResultForm{ResultsIndex, ResultsID, ResultsShuffled, ResultsIndexShuffled, ResultsIDShuffled}
}

// spoil puts the request's fault into a new job. id names an item's record; it
// is nil for creates.
func (c *call) spoil(j *job, id func(item int) uint64) {
	f := c.Fault
	j.failed, j.unseen = f.Failed, max(f.Unseen, c.options.JobUnseen)
	j.stuck, j.form = f.Stuck, f.Results
	if n := min(f.Items, j.items); n > 0 {
		struck := map[int]bool{}
		for _, item := range c.random.Perm(j.items)[:n] {
			struck[item] = true
		}
		whole := j.step
		j.step = func(item int, at time.Time) outcome {
			if !struck[item] {
				return whole(item, at)
			}
			var record uint64
			if id != nil {
				record = id(item)
			}
			return failure(item, j.fail, record, because("Item: made to fail"))
		}
	}
	if strings.HasSuffix(string(f.Results), string(ResultsShuffled)) {
		j.places = c.random.Perm(j.items)
	}
}

// shown are the results in their form.
func (j *job) shown() []outcome {
	list := make([]outcome, len(j.results))
	for i, r := range j.results {
		switch {
		case strings.HasPrefix(string(j.form), string(ResultsIndex)):
			r.Index = new(i)
		case strings.HasPrefix(string(j.form), string(ResultsID)):
			r.Index = nil
		}
		if j.places != nil {
			i = j.places[i]
		}
		list[i] = r
	}
	return list
}
