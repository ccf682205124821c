package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// A tally is what one load came to.
type tally struct {
	requests  int
	took      time.Duration
	latencies []time.Duration // of a load on one connection
}

// A load asks for one path over and over on a number of connections, each
// asking again as soon as it is answered, for a time.
type load struct {
	addr  string
	page  page
	conns int
	time  time.Duration
}

func (l load) run() (tally, error) {
	var wg sync.WaitGroup
	parts, errs := make([]tally, l.conns), make([]error, l.conns)
	began := time.Now()
	for i := range l.conns {
		wg.Go(func() { parts[i], errs[i] = l.one(began.Add(l.time)) })
	}
	wg.Wait()
	all := tally{took: time.Since(began)}
	for i, part := range parts {
		if errs[i] != nil {
			return all, fmt.Errorf("load %s%s: %w", l.addr, l.page.path, errs[i])
		}
		all.requests += part.requests
		all.latencies = append(all.latencies, part.latencies...)
	}
	return all, nil
}

// one is one connection's share.
func (l load) one(until time.Time) (t tally, err error) {
	conn, err := net.Dial("tcp", l.addr)
	if err != nil {
		return t, err
	}
	defer conn.Close()
	// A proxy that hangs ends the run, not the patience of who waits for it.
	if err := conn.SetDeadline(until.Add(10 * time.Second)); err != nil {
		return t, err
	}
	request, in := l.request(), bufio.NewReaderSize(conn, 64<<10)
	for began := time.Now(); began.Before(until); {
		if _, err := conn.Write(request); err != nil {
			return t, err
		}
		if err := readAnswer(in, io.Discard); err != nil {
			return t, err
		}
		now := time.Now()
		t.requests++
		if l.conns == 1 {
			t.latencies = append(t.latencies, now.Sub(began))
		}
		began = now
	}
	return t, nil
}

// request is what Python's requests would send.
func (l load) request() []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: python-requests/2.32.3\r\nAccept-Encoding: gzip, deflate\r\n"+
		"Accept: application/json\r\nConnection: keep-alive\r\nContent-Type: application/json\r\n"+
		"Authorization: Basic YWdlbnRAYWNtZS5leGFtcGxlL3Rva2VuOjZ3aUlCV2JHa0JNbzFtUkRNdVZ3a3cxRVB2MmJLSjhnT0tjWQ==\r\n\r\n", l.page.path, l.addr)
}

// readAnswer reads one answer and copies its body to w. Any status but 200 is
// an error: a proxy that refuses is not fast.
func readAnswer(in *bufio.Reader, w io.Writer) error {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("answered %q", line)
	}
	length, chunked := int64(-1), false
	for {
		if line, err = in.ReadSlice('\n'); err != nil {
			return err
		}
		name, value, ok := bytes.Cut(line, []byte(": "))
		switch {
		case !ok:
			return readBody(in, w, length, chunked)
		case string(name) == "Content-Length":
			if length, err = strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64); err != nil {
				return err
			}
		case string(name) == "Transfer-Encoding":
			chunked = true
		}
	}
}

func readBody(in *bufio.Reader, w io.Writer, length int64, chunked bool) error {
	if !chunked {
		_, err := io.CopyN(w, in, length)
		return err
	}
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 64)
		if err != nil {
			return err
		}
		if size > 0 {
			if _, err := io.CopyN(w, in, size); err != nil {
				return err
			}
		}
		if _, err := in.Discard(2); err != nil || size == 0 {
			return err
		}
	}
}
