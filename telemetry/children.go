package telemetry

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// children finds the counter or histogram of a set of labels without the
// library's own look-up, which makes a slice and hashes it. Its methods may be
// called at once.
type children[K comparable, C any] struct {
	mu    sync.RWMutex
	known map[K]C
	born  func(K) C
}

func newChildren[K comparable, C any](born func(K) C) *children[K, C] {
	return &children[K, C]{known: make(map[K]C), born: born}
}

// of returns the child of key.
func (c *children[K, C]) of(key K) C {
	c.mu.RLock()
	child, ok := c.known[key]
	c.mu.RUnlock()
	if ok {
		return child
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if child, ok = c.known[key]; !ok {
		child = c.born(key)
		c.known[key] = child
	}
	return child
}

// takes reports whether key has a child, or may have one while there are
// fewer than most.
func (c *children[K, C]) takes(key K, most int) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	_, ok := c.known[key]
	return ok || len(c.known) < most
}

// counters makes a counter for each set of labels.
func counters[K comparable](r prometheus.Registerer, name, help string, labels []string, values func(K) []string) *children[K, prometheus.Counter] {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	r.MustRegister(vec)
	return newChildren(func(key K) prometheus.Counter { return vec.WithLabelValues(values(key)...) })
}

// histograms makes a histogram for each set of labels.
func histograms[K comparable](r prometheus.Registerer, name, help string, bounds []float64, labels []string, values func(K) []string) *children[K, prometheus.Observer] {
	vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: bounds}, labels)
	r.MustRegister(vec)
	return newChildren(func(key K) prometheus.Observer { return vec.WithLabelValues(values(key)...) })
}
