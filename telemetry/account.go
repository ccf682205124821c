package telemetry

import (
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/flyballhq/flyball/limit"
)

// maxBuckets bounds the buckets with a label of their own: servers name some.
const maxBuckets = 100

// bucket is a bucket's label: its rule, without the object or the credential
// it counts, of which there is no end.
func (m *Metrics) bucket(k limit.Key) string { return m.buckets.bounded(bucketName(k)) }

func bucketName(k limit.Key) string {
	if k == (limit.Key{}) {
		return "none"
	}
	return string(k.Service) + "/" + k.ID
}

// account shows the snapshot at each scrape.
type account struct {
	names    *names
	snapshot atomic.Pointer[func() limit.Snapshot]

	mu    sync.Mutex
	saved [limit.Causes]float64 // the most seen so far
	harm  map[string]float64    // likewise, by bucket
}

func (a *account) read(snapshot func() limit.Snapshot) {
	if snapshot != nil {
		a.snapshot.Store(&snapshot)
	}
}

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	bucketLimit     = gauge("flyball_bucket_limit", "What a bucket allows in its window; of many objects' buckets the tightest.", "bucket")
	bucketRemaining = gauge("flyball_bucket_remaining", "What may still be sent in this window.", "bucket")
	bucketReset     = gauge("flyball_bucket_reset_seconds", "Time to the window's end.", "bucket")
	bucketPause     = gauge("flyball_bucket_pause_seconds", "Time to the end of the pause after a 429, 0 without one.", "bucket")
	bucketOurs      = gauge("flyball_bucket_ours", "Our own sends counted in this window.", "bucket")
	bucketOthers    = gauge("flyball_bucket_others", "Others' sends counted in this window, estimated.", "bucket")
	bucketWaiting   = gauge("flyball_bucket_waiting_calls", "Calls that wait for this bucket now.", "bucket")
	waitingCalls    = gauge("flyball_waiting_calls", "Calls that are held now.")
	savedSends      = gauge("flyball_saved_sends_total", "Sends spared, less those made in their place, by cause.", "cause")
	storeErrors     = gauge("flyball_store_errors_total", "Times the cache's store failed; each was a miss.")
	harmCalls       = gauge("flyball_harm_calls_total", "Calls of others that met an empty window, estimated.", "bucket")
)

// Describe tells of every figure that Collect shows.
func (a *account) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		bucketLimit, bucketRemaining, bucketReset, bucketPause, bucketOurs, bucketOthers, bucketWaiting,
		waitingCalls, savedSends, storeErrors, harmCalls,
	} {
		to <- d
	}
}

// Collect shows the account as it is now.
func (a *account) Collect(to chan<- prometheus.Metric) {
	read := a.snapshot.Load()
	if read == nil {
		return
	}
	snap := (*read)()
	show := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	show(waitingCalls, float64(snap.Waiting))
	to <- prometheus.MustNewConstMetric(storeErrors, prometheus.CounterValue, float64(snap.StoreErrors))
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, saving := range snap.Saved {
		// What is sent in place of many is charged before they are answered; a
		// counter that went back would look like a restart.
		most := &a.saved[saving.Cause]
		*most = max(*most, float64(saving.Sends))
		to <- prometheus.MustNewConstMetric(savedSends, prometheus.CounterValue, *most, saving.Cause.String())
	}
	for _, b := range tightest(snap.Buckets, a.names) {
		b.show(show, snap.At)
		a.harm[b.name] = max(a.harm[b.name], b.Harm)
		to <- prometheus.MustNewConstMetric(harmCalls, prometheus.CounterValue, a.harm[b.name], b.name)
	}
}

// A shown is what is shown under one label.
type shown struct {
	limit.Bucket
	name string
}

// show shows what is known of a bucket.
func (b *shown) show(to func(*prometheus.Desc, float64, ...string), at time.Time) {
	if b.Limit > 0 {
		to(bucketLimit, float64(b.Limit), b.name)
		to(bucketRemaining, float64(b.Left), b.name)
	}
	if !b.Resets.IsZero() {
		to(bucketReset, max(b.Resets.Sub(at), 0).Seconds(), b.name)
	}
	to(bucketPause, max(b.PausedUntil.Sub(at), 0).Seconds(), b.name)
	to(bucketOurs, float64(b.Ours), b.name)
	to(bucketOthers, float64(b.Others), b.name)
	to(bucketWaiting, float64(b.Held), b.name)
}

// tightest puts the buckets of one label, such as those of a rule that counts
// each ticket by itself, into one: limit and left are those of the tightest,
// what waits and was used is added up.
func tightest(buckets []limit.Bucket, names *names) []shown {
	byName := make(map[string]int, len(buckets))
	var all []shown
	for _, b := range buckets {
		name := names.bounded(bucketName(b.Key))
		i, ok := byName[name]
		if !ok {
			byName[name] = len(all)
			all = append(all, shown{b, name})
			continue
		}
		s := &all[i]
		if share(b) < share(s.Bucket) {
			s.Limit, s.Left, s.Resets = b.Limit, b.Left, b.Resets
		}
		if b.PausedUntil.After(s.PausedUntil) {
			s.PausedUntil = b.PausedUntil
		}
		s.Ours, s.Others, s.Held, s.Harm = s.Ours+b.Ours, s.Others+b.Others, s.Held+b.Held, s.Harm+b.Harm
	}
	slices.SortFunc(all, func(x, y shown) int { return strings.Compare(x.name, y.name) })
	return all
}

// share is how much of a bucket is left; of one whose limit is not known more
// than all.
func share(b limit.Bucket) float64 {
	if b.Limit <= 0 {
		return math.Inf(1)
	}
	return float64(b.Left) / float64(b.Limit)
}
