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
	evidence string
}

// version reads the best evidence of the answer's body.
func (m *moment) version() version {
	switch {
	case m.ETag != "" && m.ETag != "-":
		return version{maphash.String(seed, m.ETag) | 1, "same ETag"}
	case m.BodySum != 0:
		return version{m.BodySum, "same body"}
	case m.Bytes > 0:
		return version{uint64(m.Bytes), "same size"}
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
	at time.Time
}

func newUnchanged(a *Audit) *unchanged {
	return &unchanged{waste: a.waste(Unchanged), seen: newRecent[fetched](mostURLs)}
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
	was, known := u.seen.get(m.url)
	// A length alone proves little: it must not have been written since.
	same := known && *was != (fetched{}) && was.version == now &&
		(now.evidence != "same size" || !m.audit.written.since(m.path, was.at))
	if same {
		u.waste.spare(m, now.evidence, ", unchanged since "+was.at.UTC().Format("15:04:05")+" ("+now.evidence+")")
	}
	*was = fetched{now, m.At}
}

func (u *unchanged) end()           {}
func (u *unchanged) forgotten() int { return u.seen.forgotten }
