package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// warmUp is how long each proxy is loaded before anything is measured.
const warmUp = 300 * time.Millisecond

// A bench is the processes of one run.
type bench struct {
	plan
	upstream *child // of the bare proxy, and of calls that go there directly
	account  *child // the gateway's own: calls through the bare proxy would be a stranger's there
	bare     *child
	gateway  *child
}

func (p plan) run(ctx context.Context) error {
	b := &bench{plan: p}
	defer b.stop()
	if err := b.start(ctx); err != nil {
		return err
	}
	began := time.Now()
	var rows []row
	for _, page := range pages {
		if !p.cases.MatchString(page.name) {
			continue
		}
		r, err := b.measure(ctx, page)
		if err != nil {
			return err
		}
		rows = append(rows, r)
	}
	report(os.Stdout, p, rows, time.Since(began))
	return nil
}

func (b *bench) start(ctx context.Context) (err error) {
	if b.upstream, err = startChild(ctx, "", asUpstream); err != nil {
		return err
	}
	if b.account, err = startChild(ctx, "", asUpstream); err != nil {
		return err
	}
	role := asBare
	if b.against != "" {
		role = asGateway
	}
	if b.bare, err = startChild(ctx, b.against, role, b.args(b.upstream, "bare")...); err != nil {
		return err
	}
	b.gateway, err = startChild(ctx, "", asGateway, b.args(b.account, "gateway")...)
	return err
}

// args are the arguments of a proxy before upstream; name is its profile's.
func (b *bench) args(upstream *child, name string) []string {
	args := []string{"http://" + upstream.addr}
	if b.profile != "" {
		args = append(args, filepath.Join(b.profile, name+".cpu"))
	}
	return args
}

func (b *bench) stop() {
	for _, c := range []*child{b.gateway, b.bare, b.account, b.upstream} {
		if c != nil {
			c.stop()
		}
	}
}

// A row is what was measured of one page: one sample a round.
type row struct {
	page
	bare, gateway   samples
	direct          latencies
	bareL, gatewayL latencies
	bodyBytes       int
}

// samples are seconds a request, requests a second, bytes taken from the heap
// for a request, and calls that flyball held in all.
type samples struct {
	cpu, rate, heap []float64
	held            int64
}

type latencies struct{ p50, p99 []float64 } // seconds

func (b *bench) measure(ctx context.Context, p page) (row, error) {
	r := row{page: p}
	if err := b.check(p, &r); err != nil {
		return r, err
	}
	for _, c := range []*child{b.bare, b.gateway} {
		if _, err := (load{c.addr, p, b.conns, warmUp}).run(); err != nil {
			return r, fmt.Errorf("%s: %w", c.role, err)
		}
	}
	for round := range b.rounds {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		if err := b.round(p, &r, round%2 == 1); err != nil {
			return r, err
		}
	}
	return r, nil
}

// round measures both proxies once, in either order, so that neither profits
// from its place.
func (b *bench) round(p page, r *row, turned bool) error {
	steps := []func() error{
		func() error { return b.cell(b.bare, p, &r.bare) },
		func() error { return b.cell(b.gateway, p, &r.gateway) },
		func() error { return b.single(b.bare.addr, p, &r.bareL) },
		func() error { return b.single(b.gateway.addr, p, &r.gatewayL) },
		func() error { return b.single(b.upstream.addr, p, &r.direct) },
	}
	if turned {
		slices.Reverse(steps)
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// cell loads one proxy and takes its CPU time.
func (b *bench) cell(c *child, p page, s *samples) error {
	before, err := c.usage()
	if err != nil {
		return err
	}
	t, err := load{c.addr, p, b.conns, b.plan.cell}.run()
	if err != nil {
		return fmt.Errorf("%s: %w", c.role, err)
	}
	after, err := c.usage()
	if err != nil {
		return err
	}
	s.cpu = append(s.cpu, (after.cpu-before.cpu).Seconds()/float64(t.requests))
	s.rate = append(s.rate, float64(t.requests)/t.took.Seconds())
	s.heap = append(s.heap, float64(after.heap-before.heap)/float64(t.requests))
	s.held += after.held - before.held
	return nil
}

// single takes the latency of calls that follow one another.
func (b *bench) single(addr string, p page, l *latencies) error {
	t, err := load{addr, p, 1, b.plan.cell / 4}.run()
	if err != nil {
		return err
	}
	slices.Sort(t.latencies)
	at := func(share float64) float64 {
		return t.latencies[int(share*float64(len(t.latencies)-1))].Seconds()
	}
	l.p50, l.p99 = append(l.p50, at(0.5)), append(l.p99, at(0.99))
	return nil
}

// check sees to it that both proxies do their work: the bare one passes the
// page as it is, a gateway turns its page links.
func (b *bench) check(p page, r *row) error {
	for proxy, upstream := range map[*child]*child{b.bare: b.upstream, b.gateway: b.account} {
		origin := "http://" + upstream.addr
		want := p.body(origin)
		r.bodyBytes = len(want)
		if proxy.role == asGateway {
			want = strings.ReplaceAll(want, `page":"`+origin, `page":"http://`+proxy.addr)
		}
		got, err := fetch(proxy.addr, p)
		if err != nil {
			return fmt.Errorf("%s: %w", proxy.role, err)
		}
		if got != want {
			return fmt.Errorf("%s: %s does not pass the page on as it should:\n%.300s", p.name, proxy.role, got)
		}
	}
	return nil
}

// fetch returns one page's body, unpacked.
func fetch(addr string, p page) (string, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return "", err
	}
	if _, err := conn.Write((load{addr: addr, page: p}).request()); err != nil {
		return "", err
	}
	var body bytes.Buffer
	if err := readAnswer(bufio.NewReader(conn), &body); err != nil || !p.gzipped {
		return body.String(), err
	}
	unzip, err := gzip.NewReader(&body)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(unzip)
	return string(text), err
}
