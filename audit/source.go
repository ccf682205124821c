package audit

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net/http"
	"strings"
	"unicode"
)

// seed differs in each process; hashes are compared within one only.
var seed = maphash.MakeSeed()

// A format reads one line of a log.
type format struct {
	name string
	read func(line string, c *Call) error
}

// formats are tried in this order on a file's first lines.
var formats = []format{
	{ownFormat, own},
	{"Caddy's access log", caddy},
	{"Envoy's access log, JSON", envoyJSON},
	{"Envoy's access log", envoyText},
	{"access log of nginx or Apache", combined},
	{"urllib3's debug log", debug},
}

const (
	harFormat = "HAR"
	ownFormat = "flyball's access log"
)

// An unreadError is a line or an entry that cannot be read, in a file that can
// be read on.
type unreadError struct{ err error }

func (e *unreadError) Error() string { return e.err.Error() }
func (e *unreadError) Unwrap() error { return e.err }

// A brokenError is where a file cannot be read on.
type brokenError struct {
	line int
	err  error
}

func (e *brokenError) Error() string { return e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

// A File says what became of one file.
type File struct {
	Name   string `json:"name"`
	Format string `json:"format"`
	Calls  int    `json:"calls"`
	// Other counts what is in order and no call to Zendesk's API: other paths,
	// a browser's preflights and answers out of its cache, lines about something
	// else.
	Other int `json:"other,omitempty"`
	// Unread counts the lines that cannot be read; FirstUnread cites one.
	Unread      int    `json:"unread,omitempty"`
	FirstUnread string `json:"first_unread,omitempty"`
}

// source is one file being read.
type source struct {
	File
	har   *har
	lines *lines
	read  func(line string, c *Call) error
	ended bool
}

// open recognises the format of what r holds, compressed or not.
func open(name string, r io.Reader) (*source, error) {
	buffered := bufio.NewReaderSize(r, maxLine)
	if start, _ := buffered.Peek(2); bytes.Equal(start, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("%s: it begins like gzip and is not: %w", name, err)
		}
		buffered = bufio.NewReaderSize(unpacked, maxLine)
	}
	start, err := buffered.Peek(sniffed)
	if len(start) == 0 {
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return nil, fmt.Errorf("%s: it is empty (give a log with calls in it)", name)
	}
	s := &source{File: File{Name: name}}
	start = bytes.TrimPrefix(start, []byte("\xef\xbb\xbf"))
	if looksLikeHAR(start) {
		s.Format, s.har = harFormat, newHAR(skipMark(buffered))
		return s, nil
	}
	best := recognise(start)
	if best == nil {
		return nil, fmt.Errorf("%s: none of its first lines is of a known log; the first is %q (known are HAR, "+
			"the access logs of nginx, Apache, Caddy, Envoy and flyball, and urllib3's debug log; see docs/guide/audit.md)", name, cite(firstLine(start)))
	}
	s.Format, s.read, s.lines = best.name, best.read, &lines{r: skipMark(buffered)}
	return s, nil
}

// sniffed is how much of a file is looked at to recognise it.
const sniffed = 64 << 10

// skipMark drops a byte order mark.
func skipMark(r *bufio.Reader) *bufio.Reader {
	if start, _ := r.Peek(3); bytes.Equal(start, []byte("\xef\xbb\xbf")) {
		_, _ = r.Discard(3)
	}
	return r
}

func looksLikeHAR(start []byte) bool {
	start = bytes.TrimLeft(start, " \t\r\n")
	if len(start) == 0 || start[0] != '{' {
		return false
	}
	start = bytes.TrimLeft(start[1:], " \t\r\n")
	return bytes.HasPrefix(start, []byte(`"log"`)) && bytes.HasPrefix(bytes.TrimLeft(start[5:], " \t\r\n:"), []byte("{"))
}

// recognise returns the format that reads the most of the first lines, nil when
// none reads any.
func recognise(start []byte) *format {
	var best *format
	most := 0
	for i := range formats {
		n := 0
		for line := range bytes.Lines(start) {
			var c Call
			if formats[i].read(strings.TrimRight(string(line), "\r\n"), &c) == nil {
				n++
			}
		}
		if n > most {
			best, most = &formats[i], n
		}
	}
	return best
}

func firstLine(start []byte) string {
	line, _, _ := bytes.Cut(bytes.TrimLeft(start, "\r\n"), []byte("\n"))
	return string(line)
}

// cite makes a line of a log fit for a message. What may be secret in it is not
// known, so little is shown.
func cite(line string) string {
	const most = 60
	end := ""
	if len(line) > most {
		line, end = line[:most], "..."
	}
	return strings.Map(visible, strings.ToValidUTF8(line, "")) + end
}

// visible keeps what a log holds from giving orders to a terminal.
func visible(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return '?'
}

// next reads the next call of the file into c; io.EOF is the end. Other errors
// name the file and the line, and end it.
func (s *source) next(c *Call) error {
	for !s.ended {
		*c = Call{File: s.Name, Sends: 1, Rate: 1}
		err := s.one(c)
		if err == nil && (c.At.Year() < 2000 || c.At.Year() > 2200) {
			err = &unreadError{fmt.Errorf("its time is in the year %d", c.At.Year())}
		}
		var unread *unreadError
		switch {
		case err == nil && isPreflight(c) && s.Format != ownFormat:
			s.Other++ // our own log has only those that were sent
		case err == nil && isAPI(c):
			s.Calls++
			if s.Format != ownFormat {
				c.count()
			}
			return nil
		case err == nil, errors.Is(err, errNoCall):
			s.Other++
		case errors.As(err, &unread):
			if err := s.skipped(c.Line, err); err != nil {
				s.ended = true
				return err
			}
		case errors.Is(err, io.EOF):
			s.ended = true
			return s.finish()
		default:
			s.ended = true
			return s.broken(err)
		}
	}
	return io.EOF
}

// count works out the sends of a call that a log shows as its client saw it:
// one, unless the answer says that flyball gave it.
func (c *Call) count() {
	status := c.Header.Get("Cache-Status")
	switch {
	case c.Header.Get("Flyball-Refused") != "":
		c.Sends, c.Turned = 0, printable(c.Header.Get("Flyball-Refused"))
	case strings.Contains(status, "flyball; hit"):
		c.Sends, c.Saved = 0, "cache"
	case strings.Contains(status, "flyball;") && strings.Contains(status, "collapsed"):
		c.Sends, c.Saved = 0, "coalesced or merged"
	case c.Status == http.StatusTooManyRequests:
		c.Refused = 1
	}
}

// one reads one entry or line.
func (s *source) one(c *Call) error {
	if s.har != nil {
		return s.har.next(c)
	}
	line, long, err := s.lines.next()
	c.Line = s.lines.n
	switch {
	case err != nil:
		return err
	case long:
		return &unreadError{fmt.Errorf("it is longer than %d MiB", maxLine>>20)}
	case len(bytes.TrimSpace(line)) == 0:
		return errNoCall
	}
	n := c.Line
	err = s.read(string(line), c)
	c.Line = n
	if err != nil && !errors.Is(err, errNoCall) {
		return &unreadError{err}
	}
	return err
}

const (
	// manyUnread of a file's lines may be unreadable whatever its length, and
	// beyond that one in ten: more is another kind of file.
	manyUnread  = 100
	unreadShare = 10
)

// apis are where the paths of Zendesk's API begin.
var apis = []string{"/api/v2/", "/api/sunshine/", "/api/services/", "/api/mobile/"}

// skipped notes a line that cannot be read; too many are an error.
func (s *source) skipped(line int, why error) error {
	s.Unread++
	if s.Unread == 1 {
		s.FirstUnread = fmt.Sprintf("line %d: %s", line, why)
	}
	if s.Unread > manyUnread && s.Unread*unreadShare > s.Unread+s.Calls+s.Other {
		return fmt.Errorf("%s:%d: %w; %d lines up to here cannot be read as %s, the first is %s (is it a mixture of logs? give each format in a file of its own)",
			s.Name, line, why, s.Unread, s.Format, s.FirstUnread)
	}
	return nil
}

// finish says whether anything was read at all.
func (s *source) finish() error {
	if s.Calls == 0 && s.Other == 0 && s.Unread > 0 {
		return fmt.Errorf("%s: none of its lines can be read as %s: %s", s.Name, s.Format, s.FirstUnread)
	}
	return io.EOF
}

// broken says where a file cannot be read on.
func (s *source) broken(err error) error {
	line := 0
	if s.lines != nil {
		line = s.lines.n + 1
	}
	var cut *brokenError
	if errors.As(err, &cut) {
		line = cut.line
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) {
		err = fmt.Errorf("the compressed file is cut off or damaged: %w", err)
	}
	return fmt.Errorf("%s:%d: %w", s.Name, line, err)
}

// isPreflight reports whether a browser asked whether it may call: Zendesk's API
// has no other use of the method, and most logs do not show what tells a
// preflight from it.
func isPreflight(c *Call) bool { return c.Method == http.MethodOptions }

// isAPI reports whether the call is one to Zendesk's API, and drops what a
// proxy puts before the path, and the usual port.
func isAPI(c *Call) bool {
	for _, api := range apis {
		if i := strings.Index(c.Path, api); i >= 0 {
			c.Path = c.Path[i:]
			c.Host = strings.TrimSuffix(c.Host, ":443")
			return true
		}
	}
	return false
}
