package audit

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"net/http"
	"strings"
	"time"
)

// harEntry is what is read of one of a HAR's log.entries (HAR 1.2).
type harEntry struct {
	Started   time.Time `json:"startedDateTime"`
	Time      float64   `json:"time"` // milliseconds
	FromCache string    `json:"_fromCache"`
	Request   struct {
		Method   string      `json:"method"`
		URL      string      `json:"url"`
		Headers  []harHeader `json:"headers"`
		PostData struct {
			Text string `json:"text"`
		} `json:"postData"`
	} `json:"request"`
	Response struct {
		Status  int         `json:"status"`
		Headers []harHeader `json:"headers"`
		Content struct {
			Size     int64  `json:"size"`
			Text     string `json:"text"`
			Encoding string `json:"encoding"`
		} `json:"content"`
	} `json:"response"`
}

type harHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// maxEntry bounds one entry of a HAR in bytes, bodies included.
const maxEntry = 64 << 20

// har reads a HAR entry by entry, so that its size does not matter.
type har struct {
	from *counted
	dec  *json.Decoder
	open bool // inside log.entries
}

func newHAR(r io.Reader) *har {
	from := &counted{r: r, line: 1}
	return &har{from: from, dec: json.NewDecoder(from)}
}

// next reads the next entry; io.EOF is the end.
func (h *har) next(c *Call) error {
	if !h.open {
		if err := h.findEntries(); err != nil {
			return h.explain(err)
		}
		h.open = true
	}
	if !h.dec.More() {
		if _, err := h.dec.Token(); err != nil { // the closing bracket
			return h.explain(err)
		}
		return io.EOF
	}
	var e harEntry
	err := h.dec.Decode(&e)
	c.Line = h.from.passed(h.dec.InputOffset())
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType):
		return &unreadError{fmt.Errorf("entry: %s is no %s", wrongType.Field, wrongType.Type)}
	case isTimeError(err):
		return &unreadError{fmt.Errorf("entry: %w", err)}
	case err != nil:
		return h.explain(err)
	}
	return e.call(c)
}

func isTimeError(err error) bool {
	var wrong *time.ParseError
	return errors.As(err, &wrong)
}

// findEntries moves to the first of log.entries.
func (h *har) findEntries() error {
	for _, name := range []string{"log", "entries"} {
		if err := h.member(name); err != nil {
			return err
		}
	}
	token, err := h.dec.Token()
	if err == nil && token != json.Delim('[') {
		err = errors.New("log.entries is no list")
	}
	return err
}

// member moves to the value of an object's member of that name.
func (h *har) member(name string) error {
	token, err := h.dec.Token()
	if err != nil {
		return err
	}
	if token != json.Delim('{') {
		return fmt.Errorf("no object with %q in it", name)
	}
	for h.dec.More() {
		if token, err = h.dec.Token(); err != nil {
			return err
		}
		if token == name {
			return nil
		}
		if err := h.skip(); err != nil {
			return err
		}
	}
	return fmt.Errorf("no %q in it: this is no HAR", name)
}

// skip passes one value.
func (h *har) skip() error {
	for depth := 0; ; {
		token, err := h.dec.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		h.from.passed(h.dec.InputOffset())
		if depth <= 0 {
			return nil
		}
	}
}

// explain says in which line the HAR cannot be read on.
func (h *har) explain(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &brokenError{line: h.from.lineAt(h.from.read), err: errors.New("it ends in the middle: the file is cut off")}
	}
	return &brokenError{line: h.from.lineAt(h.dec.InputOffset()), err: fmt.Errorf("what begins here is no JSON: %w", err)}
}

// call turns an entry into a call.
func (e *harEntry) call(c *Call) error {
	if e.FromCache != "" || e.Response.Status <= 0 {
		return errNoCall // the browser's own cache, or no answer at all
	}
	if !isMethod(e.Request.Method) || e.Started.IsZero() {
		return &unreadError{errors.New("entry without a method or a time")}
	}
	c.Method = e.Request.Method
	c.target(e.Request.URL)
	c.At = e.Started
	if e.Time > 0 && !math.IsInf(e.Time, 0) {
		c.Took = time.Duration(min(e.Time, longest.Seconds()*1e3) * float64(time.Millisecond))
	}
	c.Status, c.Header = e.Response.Status, headerOf(e.Response.Headers)
	c.ETag = c.Header.Get("Etag")
	c.Sent, c.Body = []byte(e.Request.PostData.Text), e.body()
	c.Bytes = max(e.Response.Content.Size, int64(len(c.Body)))
	if len(c.Body) > 0 {
		c.BodySum = maphash.Bytes(seed, c.Body) | 1
	}
	request := headerOf(e.Request.Headers)
	user, who := credential(request.Get("Authorization"))
	agent := request.Get("User-Agent")
	if strings.HasPrefix(agent, "Mozilla/") {
		agent = "browser"
	}
	c.Client = clientName(request.Get("Flyball-Client"), user, agent)
	if c.Who = who; who == "" {
		c.Who = c.Client
	}
	return nil
}

func (e *harEntry) body() []byte {
	content := e.Response.Content
	if content.Encoding == "base64" {
		if raw, err := base64.StdEncoding.DecodeString(content.Text); err == nil {
			return raw
		}
	}
	return []byte(content.Text)
}

func headerOf(list []harHeader) http.Header {
	h := make(http.Header, len(list))
	for _, one := range list {
		h.Add(one.Name, one.Value)
	}
	return h
}

// counted passes bytes on, knows in which line an offset is, and ends a value
// that is too long to be read.
type counted struct {
	r    io.Reader
	read int64   // bytes passed on
	mark int64   // up to here the decoder has come
	line int     // the line of mark
	ends []int64 // offsets of the line ends between mark and read
}

func (c *counted) Read(p []byte) (int, error) {
	if c.read-c.mark > maxEntry {
		return 0, fmt.Errorf("one entry has more than %d MiB", maxEntry>>20)
	}
	n, err := c.r.Read(p)
	for i, b := range p[:n] {
		if b == '\n' {
			c.ends = append(c.ends, c.read+int64(i))
		}
	}
	c.read += int64(n)
	return n, err
}

// passed notes that the decoder has come to offset, and returns its line.
func (c *counted) passed(offset int64) int {
	c.line = c.lineAt(offset)
	keep := 0
	for keep < len(c.ends) && c.ends[keep] < offset {
		keep++
	}
	c.ends = append(c.ends[:0], c.ends[keep:]...)
	c.mark = offset
	return c.line
}

// lineAt returns the line of an offset at or behind mark.
func (c *counted) lineAt(offset int64) int {
	line := c.line
	for _, end := range c.ends {
		if end >= offset {
			break
		}
		line++
	}
	return line
}
