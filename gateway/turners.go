package gateway

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/flyballhq/flyball/gateway/links"
)

// manyTurners bounds the rewriters kept: one for each name that clients know
// the gateway by.
const manyTurners = 64

// turners turn links in answers towards the gateway, under the name that each
// caller knows it by. Their methods may be called at once.
type turners struct {
	any    *links.Rewriter // the one the others are made from
	log    *slog.Logger
	public *turner // for all callers; nil to tell them apart
	mu     sync.Mutex
	byBase map[base]*turner
}

// A base is what links begin with.
type base struct{ scheme, host string }

// String writes an origin; the zone of a link-local address is escaped there.
func (b base) String() string { return b.scheme + "://" + strings.ReplaceAll(b.host, "%", "%25") }

// A turner turns links towards one base.
type turner struct {
	links *links.Rewriter
	log   *slog.Logger
}

func newTurners(o Options) (*turners, error) {
	from := origin(o.Upstream)
	to := from
	if o.PublicURL != nil {
		to = o.PublicURL.String()
	}
	first, err := links.New([]string{from}, to, o.RewriteLinks)
	if err != nil {
		return nil, fmt.Errorf("gateway.PublicURL: %w", err)
	}
	t := &turners{any: first, log: o.Log, byBase: make(map[base]*turner)}
	if o.PublicURL != nil {
		t.public = &turner{first, o.Log}
	}
	return t, nil
}

// to returns the turner towards b.
func (t *turners) to(b base) (*turner, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known, ok := t.byBase[b]; ok {
		return known, nil
	}
	r, err := t.any.To(b.String())
	if err != nil {
		return nil, err
	}
	if len(t.byBase) >= manyTurners {
		clear(t.byBase)
	}
	b = base{b.scheme, strings.Clone(b.host)}
	t.byBase[b] = &turner{r, t.log}
	return t.byBase[b], nil
}

// Dress turns the links in resp.
func (t *turner) Dress(resp *http.Response) {
	if err := t.links.Response(resp); err != nil {
		// The account has done its work: an answer with links left as they
		// are is better than none.
		t.log.Warn("links left alone", "error", scrub(err.Error()))
	}
}
