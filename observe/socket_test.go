package observe_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/elide"
	"github.com/flyballhq/flyball/observe"
)

// An account on a socket that notes every byte it is sent on a connection, and
// says when that has ended.
type account struct {
	net.Listener
	asked chan string
}

func newAccount(t *testing.T) *account {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	a := &account{listener, make(chan string, 1)}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			a.serve(conn)
		}
	}()
	return a
}

// serve answers one call, telling one that expects 100 to go on, and one about
// ticket 413 before its body came.
func (a *account) serve(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	var got bytes.Buffer
	req, err := http.ReadRequest(bufio.NewReaderSize(io.TeeReader(conn, &got), 16))
	status := "200 OK"
	switch {
	case err != nil:
	case strings.Contains(req.URL.Path, "/413.json"):
		status = "413 Too Long"
	default:
		if req.Header.Get("Expect") != "" {
			_, _ = io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
		}
		_, err = io.Copy(io.Discard, req.Body)
	}
	if err == nil {
		_, _ = io.WriteString(conn, "HTTP/1.1 "+status+"\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\r\n"+`{"ticket":{"id":1,"a":2}}`)
	}
	text := got.String()
	if err != nil || strings.Contains(status, "413") { // what came of the body is chance
		text, _, _ = strings.Cut(text, "\r\n\r\n")
	}
	a.asked <- text + fmt.Sprint(" ", err)
}

// talk sends what is written of a call and returns all that comes back. A call
// that expects 100 is gone on with once that has come, one that breaks off is
// cut.
func talk(t *testing.T, address, head, body string) string {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	in := bufio.NewReader(conn)
	_, _ = io.WriteString(conn, head+"\r\nConnection: close\r\n\r\n")
	said := ""
	if strings.Contains(head, "100-continue") && !strings.Contains(head, "/413.json") {
		for !strings.HasSuffix(said, "\r\n\r\n") {
			line, err := in.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			said += line
		}
	}
	_, _ = io.WriteString(conn, body)
	if strings.Contains(head, "/9.json") {
		conn.(*net.TCPConn).CloseWrite()
		conn.Close()
		return ""
	}
	rest, _ := io.ReadAll(in) // an answer to what was not read may end in a reset
	return said + date.ReplaceAllString(string(rest), "")
}

var date = regexp.MustCompile(`Date: .*\r\n`)

// Behind a proxy, the account reads the same bytes of each write through an
// observer as without one, and the client the same answer.
func TestWritesPassByteForByte(t *testing.T) {
	const ticket = `{"ticket":{"subject":"b"}}`
	long := `{"ticket":{"subject":"` + strings.Repeat("x", 300<<10) + `"}}`
	chunks := "9\r\n{\"ticket\"\r\n11\r\n:{\"subject\":\"b\"}}\r\n0\r\n"
	for name, c := range map[string]struct{ head, body string }{
		"small":               {"PUT /api/v2/tickets/1.json HTTP/1.1\r\nContent-Length: 26", ticket},
		"long":                {fmt.Sprintf("PUT /api/v2/tickets/1.json HTTP/1.1\r\nContent-Length: %d", len(long)), long},
		"created":             {"POST /api/v2/tickets.json HTTP/1.1\r\nContent-Length: 26", ticket},
		"deleted":             {"DELETE /api/v2/tickets/1.json HTTP/1.1", ""},
		"chunked":             {"PUT /api/v2/tickets/1.json HTTP/1.1\r\nTransfer-Encoding: chunked", chunks + "\r\n"},
		"chunked, trailer":    {"PUT /api/v2/tickets/1.json HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: X-End", chunks + "X-End: 1\r\n\r\n"},
		"chunked, long":       {"PUT /api/v2/tickets/1.json HTTP/1.1\r\nTransfer-Encoding: chunked", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(long), long)},
		"expected":            {"PUT /api/v2/tickets/1.json HTTP/1.1\r\nContent-Length: 26\r\nExpect: 100-continue", ticket},
		"expected, chunked":   {"PUT /api/v2/tickets/1.json HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue", chunks + "\r\n"},
		"expected, early":     {"PUT /api/v2/tickets/413.json HTTP/1.1\r\nContent-Length: 26\r\nExpect: 100-continue", ""},
		"breaks off":          {"PUT /api/v2/tickets/9.json HTTP/1.1\r\nContent-Length: 26", ticket[:9]},
		"breaks off, long":    {fmt.Sprintf("PUT /api/v2/tickets/9.json HTTP/1.1\r\nContent-Length: %d", len(long)), long[:200<<10]},
		"breaks off, chunked": {"PUT /api/v2/tickets/9.json HTTP/1.1\r\nTransfer-Encoding: chunked", chunks[:20]},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t)
			u := &url.URL{Scheme: "http", Host: a.Addr().String()}
			base := &http.Transport{DisableCompression: true, DisableKeepAlives: true, ExpectContinueTimeout: 10 * time.Second}
			watch, err := observe.New(observe.Options{Base: base, Govern: flyball.Options{
				Account: u.String(), Batch: flyball.Batch{Routes: []string{"PUT /api/v2/tickets/{id}"}}, Elide: elide.Options{Within: time.Hour},
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer watch.Close()
			var asked, said [2]string
			for i, through := range []http.RoundTripper{base, watch} {
				proxy := httptest.NewServer(&httputil.ReverseProxy{Transport: through, ErrorLog: log.New(io.Discard, "", 0), Rewrite: func(pr *httputil.ProxyRequest) {
					pr.SetURL(u)
					pr.Out.Trailer = pr.In.Trailer
				}})
				said[i] = talk(t, strings.TrimPrefix(proxy.URL, "http://"), c.head+"\r\nHost: acme.example\r\nContent-Type: application/json", c.body)
				asked[i] = <-a.asked
				proxy.Close()
			}
			if asked[0] != asked[1] {
				t.Errorf("the account was sent\n%.400q\nand without an observer\n%.400q", asked[1], asked[0])
			}
			if said[0] != said[1] {
				t.Errorf("the client was told\n%.400q\nand without an observer\n%.400q", said[1], said[0])
			}
			if !strings.Contains(asked[1], "PUT") && !strings.Contains(asked[1], "POST") && !strings.Contains(asked[1], "DELETE") {
				t.Errorf("the account was sent %.400q", asked[1])
			}
			ends(t, watch)
		})
	}
}

// ends waits until the one call's trial has ended, and looks what is left.
func ends(t *testing.T, watch *observe.Observer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for ; watch.Left() > 0 || watch.RoomLent() > 0; <-tick.C {
		if ctx.Err() != nil {
			t.Fatalf("%d records and %d bytes are left: %+v", watch.Left(), watch.RoomLent(), watch.Report())
		}
	}
	if r := watch.Report(); r.Governed.Calls != 1 || r.Passed.Calls != 1 {
		t.Errorf("%+v", r)
	}
}
