package audit

import (
	"hash/maphash"
	"net/http"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// mostURLs bounds the URLs, each of one caller, that are remembered.
const mostURLs = 200_000

// A version is what a log shows of a body.
type version struct {
	digest   uint64 // 0 when the log shows nothing
	evidence evidence
}

// evidence is how a log shows that two bodies are the same, the weakest first.
type evidence uint8

const (
	noEvidence evidence = iota
	sameSize
	sameBody
	sameETag
)

func (e evidence) String() string { return [...]string{"", "same size", "same body", "same ETag"}[e] }

// version reads the best evidence of the answer's body.
func (m *moment) version() version {
	switch {
	case m.ETag != "" && m.ETag != "-":
		return version{maphash.String(seed, m.ETag) | 1, sameETag}
	case m.BodySum != 0:
		return version{m.BodySum, sameBody}
	case m.Bytes > 0:
		return version{uint64(m.Bytes), sameSize}
	}
	return version{}
}

// cacheable reports whether the call is a read that a cache may answer at all.
func (m *moment) cacheable() bool {
	return m.Method == http.MethodGet && !m.route.Heavy && m.route.Job != limit.ReportsJob
}

// unchanged finds what was read again though it was the same.
type unchanged struct {
	waste *waste
	seen  *recent[fetched]
}

type fetched struct {
	version
	at instant
}

// An instant is a time in a third of the room: nanoseconds since 1970.
type instant int64

func (m *moment) instant() instant { return instant(m.At.UnixNano()) }

func (i instant) time() time.Time { return time.Unix(0, int64(i)).UTC() }

func newUnchanged(a *Audit) *unchanged {
	return &unchanged{waste: a.waste(Unchanged), seen: newRecent[fetched](Unchanged, mostURLs, 24*time.Hour)}
}

func (u *unchanged) take(m *moment) {
	if !m.cacheable() {
		return
	}
	if m.Status == http.StatusNotModified {
		u.waste.spare(m, "answered with 304", ", answered with 304")
		return
	}
	now := m.version()
	if !m.ok || now.digest == 0 {
		return
	}
	was, known := u.seen.get(m.url, m.instant())
	// A length alone proves little: it must not have been written since.
	same := known && *was != (fetched{}) && was.version == now &&
		(now.evidence != sameSize || !m.audit.written.since(m.path, was.at.time()))
	if same {
		u.waste.spare(m, now.evidence.String(), ", unchanged since "+was.at.time().Format("15:04:05")+" ("+now.evidence.String()+")")
	}
	*was = fetched{now, m.instant()}
}

func (u *unchanged) end()               {}
func (u *unchanged) memories() []memory { return []memory{u.seen} }
