package limit_test

import (
	"context"
	"testing"
	"time"

	"github.com/flyballhq/flyball/limit"
)

func TestPatienceIsTheEarlierOfDeadlineAndContext(t *testing.T) {
	now := time.Now()
	soon, late := now.Add(time.Minute), now.Add(time.Hour)
	ending, cancel := context.WithDeadline(t.Context(), soon)
	defer cancel()
	for name, tt := range map[string]struct {
		ctx      context.Context
		deadline time.Time
		want     time.Time
	}{
		"neither":                  {t.Context(), time.Time{}, time.Time{}},
		"the deadline alone":       {t.Context(), late, late},
		"the context alone":        {ending, time.Time{}, soon},
		"the context comes first":  {ending, late, soon},
		"the deadline comes first": {ending, now, now},
	} {
		call := &limit.Call{Deadline: tt.deadline}
		if got := call.Patience(tt.ctx); !got.Equal(tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// A call waits for a shared one only if that is as urgent and is not given up
// later than the call is.
func TestWhoMayWaitForASharedCall(t *testing.T) {
	soon := time.Now().Add(time.Minute)
	late := soon.Add(time.Hour)
	for name, tt := range map[string]struct {
		call     limit.Call
		patience time.Time
		shared   limit.Call
		want     bool
	}{
		"both wait for ever":             {want: true},
		"it waits for ever":              {shared: limit.Call{Deadline: soon}, want: true},
		"the shared one waits for ever":  {patience: soon},
		"as patient":                     {patience: soon, shared: limit.Call{Deadline: soon}, want: true},
		"more patient":                   {patience: late, shared: limit.Call{Deadline: soon}, want: true},
		"less patient":                   {patience: soon, shared: limit.Call{Deadline: late}},
		"the shared one is more urgent":  {shared: limit.Call{Class: limit.Interactive}, want: true},
		"the shared one is less urgent":  {call: limit.Call{Class: limit.Interactive}},
		"bulk does not hold up the rest": {shared: limit.Call{Class: limit.Bulk}},
		"what may not wait joins nobody": {call: limit.Call{NoWait: true}, patience: late, shared: limit.Call{Deadline: soon}},
	} {
		if got := tt.call.MayJoin(&tt.shared, tt.patience); got != tt.want {
			t.Errorf("%s: %t, want %t", name, got, tt.want)
		}
	}
}
