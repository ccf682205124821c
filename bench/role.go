package main

import (
	"bufio"
	"fmt"
	"net"
	"net/url"
	"os"
	"runtime/pprof"
	"sync/atomic"
	"time"

	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/cache/memory"
)

// The roles of a child process.
const (
	asUpstream = "upstream"
	asBare     = "bare"
	asGateway  = "gateway"
	asHandler  = "handler" // a bare net/http handler that keeps answers
	asCache    = "cache"   // the gateway with its cache on
)

// playRole is a child's main: it serves on a loopback port, says where on its
// first line, and answers each further line on its standard input with what it
// has used so far. It ends with its standard input, and so with its parent.
// args are the upstream's URL and, optionally, a file for a CPU profile.
func playRole(role string, args []string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	var held atomic.Int64
	go func() { failed <- serve(role, l, args, &held) }()
	if len(args) > 1 {
		file, err := os.Create(args[1])
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Println(l.Addr())
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			fmt.Println(usageNow(held.Load()))
		}
		failed <- nil
	}()
	return <-failed
}

func serve(role string, l net.Listener, args []string, held *atomic.Int64) error {
	if role == asUpstream {
		return serveUpstream(l, func() { held.Add(1) })
	}
	if len(args) == 0 {
		return fmt.Errorf("role %s needs the upstream's URL", role)
	}
	upstream, err := url.Parse(args[0])
	if err != nil {
		return err
	}
	switch role {
	case asBare:
		return serveBare(l, upstream)
	case asGateway:
		return serveGateway(l, upstream, cache.Options{NoCoalescing: true}, func() { held.Add(1) })
	case asHandler:
		return serveHandler(l, upstream)
	case asCache:
		store, err := memory.New(memory.Options{})
		if err != nil {
			return err
		}
		return serveGateway(l, upstream, cache.Options{Store: store, Rules: []cache.Rule{{Route: "GET /api/v2/tickets/{id}", Fresh: time.Hour}}}, func() { held.Add(1) })
	default:
		return fmt.Errorf("role %s is none of %s, %s, %s, %s, %s", role, asUpstream, asBare, asGateway, asHandler, asCache)
	}
}
