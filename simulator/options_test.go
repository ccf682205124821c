package simulator

import (
	"strings"
	"testing"
	"time"
)

func TestOptionsNameWhatIsWrong(t *testing.T) {
	for want, o := range map[string]Options{
		`unknown plan "gold"; the plans are suite-team`:        {Plan: "gold"},
		`unknown header mode "old"; the modes are current`:     {Headers: "old"},
		`unknown limit "tickets"; the limits are account`:      {Limits: map[string]Limit{"tickets": {}}},
		`limit "account": number and window must not be`:       {Limits: map[string]Limit{"account": {N: -1}}},
		"limit -1: must not be negative":                       {Limit: -1},
		"window 1ms: must be at least 10ms":                    {Window: time.Millisecond},
		"others 30: must be a share from 0 to 10, 0.3 for 30%": {Others: 30},
		"boundary skew -1s":                                    {BoundarySkew: -time.Second},
		"window jitter 31s: must be from 0 to half of":         {WindowJitter: 31 * time.Second},
		"window jitter 6s: must be from 0 to half of":          {Window: 10 * time.Second, WindowJitter: 6 * time.Second},
		"window jitter -1s":                                    {WindowJitter: -time.Second},
		"items or unseen is negative":                          {Faults: []Fault{{Overstate: -1}}},
		`origin "acme": not of the form`:                       {Origin: "acme"},
		"fault does nothing":                                   {Faults: []Fault{{Every: 2}}},
		"number of tickets, users, organizations or requests":  {Tickets: -5},
	} {
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := (Options{}).Check(); err != nil {
		t.Errorf("the zero options: %v", err)
	}
}

func TestParseLatency(t *testing.T) {
	for text, want := range map[string][3]time.Duration{
		"":           {50 * time.Millisecond, 180 * time.Millisecond, 500 * time.Millisecond},
		"typical":    {50 * time.Millisecond, 180 * time.Millisecond, 500 * time.Millisecond},
		"0":          {},
		"180ms":      {180 * time.Millisecond, 180 * time.Millisecond, 180 * time.Millisecond},
		"50ms-500ms": {50 * time.Millisecond, 275 * time.Millisecond, 500 * time.Millisecond},
	} {
		l, err := ParseLatency(text)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := [3]time.Duration{l(0), l(0.5), l(1)}; got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	for _, text := range []string{"fast", "-5ms", "500ms-50ms", "5ms-x", "1s-"} {
		if _, err := ParseLatency(text); err == nil || !strings.Contains(err.Error(), "write 180ms") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
