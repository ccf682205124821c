package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// kept is the page that every cache of a run answers out of its memory: one
// ticket of 2 KB.
var kept = pages[1]

// A cacher is one way to answer without asking the account.
type cacher struct {
	name string
	addr string
	cpu  func() (time.Duration, error) // that its processes have used so far
	stop func()
	samples
}

// runCaches puts flyball's hit beside a bare net/http handler's, nginx's and
// Varnish's.
func (p plan) runCaches(ctx context.Context) (err error) {
	upstream, err := startChild(ctx, "", asUpstream)
	if err != nil {
		return err
	}
	defer upstream.stop()
	folder, err := os.MkdirTemp("", "bench-cache")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	// Whoever runs beside root is who these servers become.
	if err := os.Chmod(folder, 0o755); err != nil { //nolint:gosec // nothing in it is secret
		return err
	}
	var all []*cacher
	defer func() {
		for _, c := range all {
			c.stop()
		}
	}()
	began := time.Now()
	for _, start := range []func() (*cacher, error){
		func() (*cacher, error) { return p.startOwn(ctx, asHandler, "bare handler", upstream) },
		func() (*cacher, error) { return p.startOwn(ctx, asCache, "flyball", upstream) },
		func() (*cacher, error) { return startNginx(ctx, folder, upstream.addr) },
		func() (*cacher, error) { return startVarnish(ctx, folder, upstream.addr) },
	} {
		c, err := start()
		if absent, ok := errors.AsType[absentError](err); ok {
			fmt.Println("left out:", absent)
			continue
		}
		if err != nil {
			return err
		}
		all = append(all, c)
		if err := c.check(upstream); err != nil {
			return err
		}
	}
	if err := p.loadCaches(ctx, all); err != nil {
		return err
	}
	reportCaches(os.Stdout, p, all, time.Since(began))
	return nil
}

// loadCaches loads each in turn, in either order.
func (p plan) loadCaches(ctx context.Context, all []*cacher) error {
	for _, c := range all {
		if _, err := (load{c.addr, kept, p.conns, warmUp}).run(); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	for round := range p.rounds {
		for i := range all {
			if err := ctx.Err(); err != nil {
				return err
			}
			c := all[i]
			if round%2 == 1 {
				c = all[len(all)-1-i]
			}
			if err := c.cell(p); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	return nil
}

func (c *cacher) cell(p plan) error {
	before, err := c.cpu()
	if err != nil {
		return err
	}
	t, err := load{c.addr, kept, p.conns, p.cell}.run()
	if err != nil {
		return err
	}
	after, err := c.cpu()
	if err != nil {
		return err
	}
	c.samples.cpu = append(c.samples.cpu, (after-before).Seconds()/float64(t.requests))
	c.rate = append(c.rate, float64(t.requests)/t.took.Seconds())
	return nil
}

// check sees to it that the answer is the account's, and the second one none
// of its own.
func (c *cacher) check(upstream *child) error {
	want := kept.body("http://" + upstream.addr)
	var before int64
	for i := range 3 {
		got, err := fetch(c.addr, kept)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if got != want {
			return fmt.Errorf("%s answers something else:\n%.300s", c.name, got)
		}
		u, err := upstream.usage()
		if err != nil {
			return err
		}
		if i > 0 && u.held != before {
			return fmt.Errorf("%s asked the account again for what it was to keep", c.name)
		}
		before = u.held
	}
	return nil
}

func (p plan) startOwn(ctx context.Context, role, name string, upstream *child) (*cacher, error) {
	args := []string{"http://" + upstream.addr}
	if p.profile != "" {
		args = append(args, filepath.Join(p.profile, role+".cpu"))
	}
	own, err := startChild(ctx, "", role, args...)
	if err != nil {
		return nil, err
	}
	return &cacher{name: name, addr: own.addr, stop: own.stop, cpu: func() (time.Duration, error) {
		u, err := own.usage()
		return u.cpu, err
	}}, nil
}

// freePort finds a port for a server that cannot say which one it took.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// reportCaches writes the run as a table for docs/performance.md.
func reportCaches(w *os.File, p plan, all []*cacher, took time.Duration) {
	bare := all[0]
	fmt.Fprintf(w, "%s: %d interleaved rounds of %s at %d connections in %s\n\n", machine(), p.rounds, p.cell, p.conns, took.Round(time.Second))
	fmt.Fprintln(w, "| a hit of 2 KB | requests a second, over the bare handler | of the rounds | CPU per request, over the bare handler | requests a second | CPU µs a request |")
	fmt.Fprintln(w, "|---|--:|--:|--:|--:|--:|")
	for _, c := range all {
		rates := ratios(c.rate, bare.rate)
		fmt.Fprintf(w, "| %s | **%.2f** | %s | %.2f | %.0f | %.1f |\n",
			c.name, median(rates), spread(rates), median(ratios(c.samples.cpu, bare.samples.cpu)), median(c.rate), micros(c.samples.cpu))
	}
	for _, c := range all {
		if c.name == "nginx" || c.name == "Varnish" {
			own := all[1]
			fmt.Fprintf(w, "\nflyball over %s: %.2f of its requests a second, %.2f of its CPU per request", c.name,
				median(ratios(own.rate, c.rate)), median(ratios(own.samples.cpu, c.samples.cpu)))
		}
	}
	fmt.Fprintln(w)
}

func spread(values []float64) string {
	low, high := values[0], values[0]
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	return strings.ReplaceAll(fmt.Sprintf("%.2f to %.2f", low, high), "NaN", "-")
}
