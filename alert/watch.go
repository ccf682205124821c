package alert

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// The alerts.
const (
	nearLimit = "near-limit"
	tooMany   = "others"
	isRefused = "refused"

	firing   = "firing"
	resolved = "resolved"
)

// maxKept bounds what is remembered of clients and of buckets.
const maxKept = 200

// A watch judges an account from one look to the next. It knows no clock but
// the snapshot's.
type watch struct {
	over, others float64
	windows      int
	quiet        time.Duration
	runs         map[run]*row
	refusals     map[string]*refusals // by client
}

// A run is one bucket seen for one alert.
type run struct {
	alert  string
	bucket limit.Key
}

// A row is how long a run lasts.
type row struct {
	resets time.Time // of the window seen last
	over   bool      // it was over in that window
	before int       // windows in a row before that
	fired  bool
	seen   time.Time
}

// refusals are the calls of one client that were refused since it was told of.
type refusals struct {
	calls          int
	reason, bucket string
	told           time.Time
}

func newWatch(o Options) watch {
	return watch{
		over: o.Over, others: o.Others, windows: o.Windows, quiet: o.Quiet,
		runs: make(map[run]*row), refusals: make(map[string]*refusals),
	}
}

// refused notes a call that was refused.
func (w *watch) refused(client, reason, bucket string) {
	r := w.refusals[client]
	if r == nil {
		if len(w.refusals) >= maxKept {
			client = "other"
			r = w.refusals[client]
		}
		if r == nil {
			r = &refusals{}
			w.refusals[client] = r
		}
	}
	r.calls++
	r.reason, r.bucket = reason, bucket
}

// judge returns what is worth a message in the account as it is now.
func (w *watch) judge(snap limit.Snapshot) []Message {
	var all []Message
	for _, b := range snap.Buckets {
		if b.Limit <= 0 || b.Kind != limit.Window || b.Key.Object != 0 || b.Resets.IsZero() {
			continue
		}
		used := float64(b.Limit-b.Left) / float64(b.Limit)
		all = w.step(all, snap, b, nearLimit, used >= w.over)
		all = w.step(all, snap, b, tooMany, float64(b.Others) >= w.others*float64(b.Limit))
	}
	for _, client := range sorted(w.refusals) {
		r := w.refusals[client]
		switch {
		case r.calls > 0 && (r.told.IsZero() || snap.At.Sub(r.told) >= w.quiet):
			all = append(all, refusedMessage(snap, client, *r))
			*r = refusals{told: snap.At}
		case r.calls == 0 && snap.At.Sub(r.told) >= w.quiet:
			delete(w.refusals, client)
		}
	}
	w.forget(snap.At)
	return all
}

// step follows one bucket: it fires when it was over in enough windows in a
// row, and is resolved by a whole window in which it was not.
func (w *watch) step(all []Message, snap limit.Snapshot, b limit.Bucket, alert string, over bool) []Message {
	key := run{alert, b.Key}
	r := w.runs[key]
	if r == nil {
		if !over || len(w.runs) >= maxKept {
			return all
		}
		r = &row{resets: b.Resets}
		w.runs[key] = r
	}
	r.seen = snap.At
	if turned(r.resets, b) {
		if r.over {
			r.before++
		} else {
			r.before = 0
			if r.fired {
				r.fired = false
				all = append(all, bucketMessage(snap, b, alert, resolved, 0))
			}
		}
		r.over = false
	}
	r.resets = b.Resets
	r.over = r.over || over
	if r.over && !r.fired && r.before+1 >= w.windows {
		r.fired = true
		all = append(all, bucketMessage(snap, b, alert, firing, r.before+1))
	}
	return all
}

// turned reports whether b is in another window than the one that was to end
// at resets. The end of one window is known ever better while it lasts.
func turned(resets time.Time, b limit.Bucket) bool { return b.Resets.Sub(resets) > b.Window/2 }

// forget drops what has not been over for long.
func (w *watch) forget(now time.Time) {
	for key, r := range w.runs {
		if !r.fired && !r.over && r.before == 0 || now.Sub(r.seen) > time.Hour {
			delete(w.runs, key)
		}
	}
}

func bucketMessage(snap limit.Snapshot, b limit.Bucket, alert, state string, windows int) Message {
	m := Message{
		Alert: alert, State: state, At: snap.At.UTC(), Account: snap.Account, Bucket: b.Key.String(),
		Limit: b.Limit, Used: b.Limit - b.Left, Others: b.Others, Windows: windows,
	}
	switch {
	case alert == nearLimit && state == firing:
		m.Text = fmt.Sprintf("%s: %s has been near its limit for %s: %d of %d used, %d of that by others", m.Account, m.Bucket, count(windows, "window"), m.Used, m.Limit, m.Others)
	case alert == nearLimit:
		m.Text = fmt.Sprintf("%s: %s is no longer near its limit", m.Account, m.Bucket)
	case state == firing:
		m.Text = fmt.Sprintf("%s: others have used more than their share of %s for %s: %d of %d, by estimate", m.Account, m.Bucket, count(windows, "window"), m.Others, m.Limit)
	default:
		m.Text = fmt.Sprintf("%s: others use no more than their share of %s", m.Account, m.Bucket)
	}
	return m
}

func refusedMessage(snap limit.Snapshot, client string, r refusals) Message {
	why := fmt.Sprintf("they would have waited for %s longer than they may (%s)", r.bucket, r.reason)
	switch limit.Reason(r.reason) {
	case limit.QueueFull:
		why = "the queue for " + r.bucket + " is full"
	case limit.Closed:
		why = r.reason
	default: // it waits for the bucket
	}
	return Message{
		Alert: isRefused, State: firing, At: snap.At.UTC(), Account: snap.Account, Client: client,
		Bucket: r.bucket, Calls: r.calls, Reason: r.reason,
		Text: fmt.Sprintf("%s: %s of %s refused: %s", snap.Account, count(r.calls, "call"), cmp.Or(client, "a client without a name"), why),
	}
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func sorted(m map[string]*refusals) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
