// Command bench puts flyball's gateway beside a bare tuned reverse proxy, in
// one interleaved run over loopback: CPU per request of the proxy's process,
// requests a second, and what each adds to a call's latency.
//
// Upstream and proxies are processes of this same binary, so that the CPU time
// of one is nobody else's. Only ratios within one run mean anything: the
// machine is shared by all of them and by whatever else runs on it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

// A plan is what one run measures.
type plan struct {
	rounds  int
	cell    time.Duration // of one load on one proxy
	conns   int
	cases   *regexp.Regexp
	profile string // folder for CPU profiles, "" for none
	against string // binary whose gateway takes the bare proxy's place, "" for none
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "role" {
		exit(playRole(os.Args[2], os.Args[3:]))
	}
	args, run := os.Args[1:], plan.run
	if len(args) > 0 && args[0] == "cache" {
		args, run = args[1:], plan.runCaches
	}
	p, err := parse(args)
	if err != nil {
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(p, ctx))
}

func parse(args []string) (p plan, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&p.rounds, "rounds", 7, "interleaved rounds; figures are medians over them")
	flags.DurationVar(&p.cell, "cell", time.Second, "length of one load on one proxy")
	flags.IntVar(&p.conns, "conns", 64, "connections of the load")
	flags.StringVar(&p.profile, "profile", "", "folder for the proxies' CPU profiles")
	flags.StringVar(&p.against, "against", "", "build of this program from another version: its gateway takes the bare proxy's place")
	cases := flags.String("cases", "", "measure only the cases whose name matches")
	if err = flags.Parse(args); err != nil {
		return p, err
	}
	if p.cases, err = regexp.Compile(*cases); err == nil && (p.rounds < 1 || p.conns < 1 || p.cell <= 0) {
		err = errors.New("-rounds, -conns and -cell are above 0")
	}
	if err != nil {
		err = fmt.Errorf("bench: %w", err)
		fmt.Fprintln(os.Stderr, err)
	}
	return p, err
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
