package gateway

import (
	"container/list"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// maxName bounds a client's name in bytes.
const maxName = 64

// identify says who calls: the name it gives itself, else the e-mail of its
// Basic credential, else its program's name, else a prefix of the hash of its
// credential. The answer holds nothing that would let anyone in.
func identify(r *http.Request) string {
	if name := printable(r.Header.Get(clientHeader)); name != "" {
		return name
	}
	if user, _, ok := r.BasicAuth(); ok {
		email, _, _ := strings.Cut(user, "/token")
		// Only what looks like an e-mail: an OAuth client may put its secret
		// where a user name belongs.
		if name := printable(email); strings.Contains(name, "@") && len(email) <= maxName {
			return name
		}
	}
	if name := product(r.UserAgent()); name != "" {
		return name
	}
	if credential := r.Header.Get("Authorization"); credential != "" {
		return "credential " + hashed(credential)
	}
	return "unknown"
}

// product returns the first product name of a User-Agent, without version.
func product(agent string) string {
	name, _, _ := strings.Cut(strings.TrimSpace(agent), " ")
	name, _, _ = strings.Cut(name, "/")
	return printable(name)
}

// printable returns s cut to maxName bytes, or "" when it holds anything but
// printable ASCII: it goes into logs, metrics and pages.
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

// clients are the callers seen lately, the latest first. It forgets the one
// not seen for the longest time when it is full, so that made-up names cost a
// bounded amount of memory. Its methods may be called at once.
type clients struct {
	max int

	mu     sync.Mutex
	recent *list.List // of known
	byName map[string]*list.Element
}

// A known is one caller: the name it gave, and what it is called in logs,
// figures and pages.
type known struct{ given, shown string }

func newClients(limit int) *clients {
	return &clients{max: limit, recent: list.New(), byName: make(map[string]*list.Element)}
}

// name remembers that a client called, and returns what it is called, in the
// one copy that the table holds, so that a request's header is not kept alive
// by it. One that was configured is shown as it stands.
func (c *clients) name(given string, configured bool) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byName[given]; ok {
		c.recent.MoveToFront(e)
		return e.Value.(known).shown
	}
	if c.recent.Len() >= c.max {
		oldest := c.recent.Back()
		delete(c.byName, c.recent.Remove(oldest).(known).given)
	}
	given = strings.Clone(given)
	k := known{given, given}
	if !configured {
		k.shown = shown(given)
	}
	c.byName[given] = c.recent.PushFront(k)
	return k.shown
}

// shown is what a caller that gave itself a name is called: that, or its hash
// if it could be a credential.
func shown(given string) string {
	email := strings.Contains(given, "@") && !strings.ContainsAny(given, ":/ ")
	if !email && (announced.MatchString(given) || slices.ContainsFunc(strings.FieldsFunc(given, joint), secretive)) {
		return "hidden " + hashed(given)
	}
	return given
}

func joint(r rune) bool { return strings.ContainsRune("_-.~+=/@: ", r) }

// secretive tells a token from a part of a name, which may be long and in
// CamelCase, and have a figure or two in it.
func secretive(part string) bool {
	if len(part) < 12 {
		return false
	}
	digits := 0
	for i := range len(part) {
		if part[i] >= '0' && part[i] <= '9' {
			digits++
		}
	}
	return digits >= 3 && digits < len(part) || len(part) >= 32 && mixed(part)
}

// hashed is a short hash that tells apart what must not be shown.
func hashed(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:4])
}

// names returns the names known now, the latest first.
func (c *clients) names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := make([]string, 0, c.recent.Len())
	for e := c.recent.Front(); e != nil; e = e.Next() {
		names = append(names, e.Value.(known).shown)
	}
	return names
}
