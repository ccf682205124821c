package telemetry

import (
	"cmp"
	"compress/gzip"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"

	"github.com/flyballhq/flyball/limit"
)

// DefaultMaxClients is the default of [Options].MaxClients.
const DefaultMaxClients = 200

// Options tunes [Metrics]. The zero value works; without Snapshot there are no
// figures by bucket.
type Options struct {
	// Snapshot returns the account's buckets now. It is called once for each
	// scrape and must not block. It may be set later, with
	// [Metrics.ReadSnapshot].
	Snapshot func() limit.Snapshot
	// Version is what flyball_build_info says; "" is "(devel)".
	Version string
	// Clients are names that keep a label of their own, however many others
	// come first.
	Clients []string
	// MaxClients bounds the clients with a label of their own beside those;
	// the rest is called "other". Default 200.
	MaxClients int
}

// Metrics counts what happens to calls and shows it in Prometheus's form. Its
// methods may be called at once.
type Metrics struct {
	registry *prometheus.Registry
	clients  *names
	buckets  *names
	account  *account
	calls
	sends
}

// New returns metrics of one transport.
func New(o Options) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		clients:  newNames(cmp.Or(o.MaxClients, DefaultMaxClients), o.Clients),
		buckets:  newNames(maxBuckets, nil),
	}
	m.account = &account{names: m.buckets, harm: make(map[string]float64)}
	m.ReadSnapshot(o.Snapshot)
	m.calls, m.sends = newCalls(m.registry), newSends(m.registry)
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "flyball_build_info", Help: "Which flyball this is; always 1.",
	}, []string{"version", "goversion"})
	build.WithLabelValues(cmp.Or(o.Version, "(devel)"), runtime.Version()).Set(1)
	m.registry.MustRegister(
		build, m.account,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// ReadSnapshot has the figures by bucket come from snapshot from now on.
func (m *Metrics) ReadSnapshot(snapshot func() limit.Snapshot) { m.account.read(snapshot) }

// Gatherer returns the metrics for another exporter.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// CountDropped shows the lines that an access log has lost.
func (m *Metrics) CountDropped(l *AccessLog) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "flyball_access_log_dropped_total", Help: "Lines of the access log that were lost because its file did not take them.",
	}, func() float64 { return float64(l.Dropped()) }))
}

// ServeHTTP answers a scrape, in Prometheus's text form, which every scraper
// reads. The library's own handler would link three more encodings.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	families, err := m.registry.Gather()
	if err != nil {
		http.Error(w, "the metrics cannot be gathered: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	to := io.Writer(w)
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		defer packed.Close()
		to = packed
	}
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(to, f); err != nil {
			return // who asked has left
		}
	}
}

// other is the label of what is beyond a bound.
const other = "other"

// names bounds how many values a label may have. Its method may be called at
// once.
type names struct {
	mu    sync.RWMutex
	known map[string]string
	room  int
}

func newNames(room int, first []string) *names {
	n := &names{known: make(map[string]string), room: room + len(first)}
	for _, name := range first {
		n.bounded(name)
	}
	return n
}

// bounded returns name, or "other" when there are too many besides.
func (n *names) bounded(name string) string {
	n.mu.RLock()
	known, ok := n.known[name]
	full := len(n.known) >= n.room
	n.mu.RUnlock()
	switch {
	case ok:
		return known
	case full:
		return other
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.known) >= n.room {
		return other
	}
	n.known[name] = label(name)
	return n.known[name]
}
