package audit

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// A Call is one request as a log tells it. What the log does not tell is zero.
type Call struct {
	At     time.Time     // when it began
	Took   time.Duration // to the answer's end
	Blur   time.Duration // how much later than At it may have begun
	Client string        // who calls, by name
	// Who tells callers apart: a hash or a name of the credential, or what the
	// log has in its place. Only compared, never shown.
	Who    string
	Method string
	Host   string
	Path   string
	Query  string // raw; of our own log with values left out
	// QueryID tells queries apart where Query does not; else "".
	QueryID string
	Status  int
	Bytes   int64  // of the answer's body
	ETag    string // of the answer
	BodySum uint64 // hash of the answer's body; 0 when it is not recorded
	// Header has what the log tells of the answer's header.
	Header http.Header
	// Sent and Body are the request's and the answer's body, where recorded.
	Sent, Body []byte
	// Sends is how many requests reached Zendesk for the call, and Refused how
	// many of these were answered with 429. Logs but our own have 1.
	Sends, Refused int
	// Turned is why flyball itself refused the call: wait-too-long, queue-full or
	// another; "" when it did not, or when the log does not tell.
	Turned string
	// Saved says what spared a send of it; only our own log tells.
	Saved   string
	HeldFor string
	Hold    time.Duration // how long flyball held it; only our own log tells
	// Made says that flyball made the call of its own, for others.
	Made bool
	// Rate is the part of such calls that the log has, 1 unless it is a sample.
	Rate float64

	File string
	Line int // in File, from 1; of a HAR the line on which the entry ends
}

// end is when the call was over.
func (c *Call) end() time.Time { return c.At.Add(c.Took) }

// addHeader notes one of the answer's header fields; "-" is none.
func (c *Call) addHeader(name, value string) {
	if value == "" || value == "-" {
		return
	}
	if c.Header == nil {
		c.Header = make(http.Header, 4)
	}
	c.Header.Set(name, value)
}

// target splits a request target, as it stands in a log, into host, path and
// query.
func (c *Call) target(raw string) {
	if scheme := strings.Index(raw, "://"); scheme > 0 && scheme < 6 {
		rest := raw[scheme+3:]
		slash := strings.IndexByte(rest, '/')
		if slash < 0 {
			slash = len(rest)
		}
		c.Host, raw = rest[:slash], rest[slash:]
	}
	raw, _, _ = strings.Cut(raw, "#")
	c.Path, c.Query, _ = strings.Cut(raw, "?")
}

// maxName bounds a name out of a log.
const maxName = 64

// clientName names who calls, as the gateway does: the name it gave itself, the
// e-mail it signed in with, or its program.
func clientName(given, user, agent string) string {
	if name := printable(given); name != "" {
		return name
	}
	email, _, _ := strings.Cut(user, "/token")
	if name := printable(email); name != "" && name != "-" {
		return name
	}
	name, _, _ := strings.Cut(strings.TrimSpace(agent), " ")
	name, _, _ = strings.Cut(name, "/")
	if name = printable(name); name == "" || name == "-" {
		return "unknown"
	}
	return name
}

// credential reads an Authorization header: the user of Basic, and a short
// hash that tells credentials apart.
func credential(authorization string) (user, who string) {
	if authorization == "" {
		return "", ""
	}
	sum := sha256.Sum256([]byte(authorization))
	who = hex.EncodeToString(sum[:4])
	scheme, rest, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "basic") {
		return "", who
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	if err != nil {
		return "", who
	}
	name, _, _ := strings.Cut(string(text), ":")
	if email, _, _ := strings.Cut(name, "/token"); strings.Contains(email, "@") {
		return email, who // an OAuth client may put its secret where a name belongs
	}
	return "", who
}

// printable returns s cut to maxName bytes, "" when it holds anything but
// printable ASCII: it is shown on terminals and pages.
func printable(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxName {
		s = s[:maxName]
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return ""
		}
	}
	return s
}
