package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// allowed is the upstream's limit a minute: so high that no call is ever held,
// and what is measured is flyball's own work.
const allowed = 10_000_000

// An upstream answers as fast as loopback lets it, with the header fields that
// Zendesk sends. It reads requests without a body only.
type upstream struct {
	replies map[string]reply
	asked   func() // called for each call

	mu     sync.Mutex
	minute int64
	used   int64 // in that minute
}

// A reply is one page's header, without the fields that change, and its body.
type reply struct{ head, body []byte }

func serveUpstream(l net.Listener, asked func()) error {
	u := &upstream{asked: asked, replies: map[string]reply{}}
	for _, p := range pages {
		u.replies[p.path] = replyWith(p, "http://"+l.Addr().String())
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go u.serve(conn)
	}
}

func replyWith(p page, origin string) reply {
	body := []byte(p.body(origin))
	encoding := ""
	if p.gzipped {
		body, encoding = zip(string(body)), "Content-Encoding: gzip\r\n"
	}
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s"+
		"Connection: keep-alive\r\nCF-Ray: 8f0c1d2e3b4a5968-FRA\r\nCF-Cache-Status: DYNAMIC\r\nCache-Control: max-age=0, private, must-revalidate\r\n"+
		"ETag: W/\"5d41402abc4b2a76b9719d911017c592\"\r\nStrict-Transport-Security: max-age=31536000;\r\nVary: Accept-Encoding\r\n"+
		"X-Frame-Options: SAMEORIGIN\r\nX-Request-ID: 8f0c1d2e3b4a5968-FRA\r\nX-Runtime: 0.181934\r\nX-Zendesk-API-Version: v2\r\nX-Zendesk-Zorg: yes\r\n"+
		"Set-Cookie: __cfruid=2b5c1d; path=/; domain=.acme.zendesk.com; HttpOnly; Secure; SameSite=None\r\nServer: cloudflare\r\n",
		p.contentType(), len(body), encoding)
	return reply{[]byte(head), body}
}

func (u *upstream) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 16<<10)
	var out []byte
	for {
		path, err := readRequest(in)
		if err != nil {
			return
		}
		u.asked()
		out = u.answer(out[:0], path)
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

// readRequest reads a request without a body and returns its path and query,
// good until the next read.
func readRequest(in *bufio.Reader) (string, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	fields := bytes.Fields(line)
	if len(fields) != 3 {
		return "", fmt.Errorf("no request line: %q", line)
	}
	path := string(fields[1])
	for {
		if line, err = in.ReadSlice('\n'); err != nil {
			return "", err
		}
		if len(line) == 2 {
			return path, nil
		}
	}
}

// answer appends the reply to path, with the limit headers of now.
func (u *upstream) answer(to []byte, path string) []byte {
	r, ok := u.replies[path]
	if !ok {
		return append(to, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"...)
	}
	now := time.Now()
	left := strconv.FormatInt(allowed-u.count(now.Unix()/60), 10)
	most := strconv.Itoa(allowed)
	to = append(to, r.head...)
	to = append(to, "Date: "...)
	to = now.UTC().AppendFormat(to, http.TimeFormat)
	for _, field := range [...][2]string{
		{"X-Rate-Limit", most},
		{"X-Rate-Limit-Remaining", left},
		{"RateLimit-Limit", most},
		{"RateLimit-Remaining", left},
		{"RateLimit-Reset", strconv.FormatInt(60-now.Unix()%60, 10)},
	} {
		to = append(append(append(append(to, "\r\n"...), field[0]...), ": "...), field[1]...)
	}
	to = append(to, "\r\n\r\n"...)
	return append(to, r.body...)
}

// count charges one call and returns how many this minute has seen. The
// counter never goes back to an earlier minute.
func (u *upstream) count(minute int64) int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	if minute > u.minute {
		u.minute, u.used = minute, 0
	}
	u.used++
	return u.used
}
