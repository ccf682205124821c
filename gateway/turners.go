package gateway

import (
	"fmt"
	"net/http"
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
	mu     sync.Mutex
	byBase map[string]*links.Rewriter
}

func newTurners(o Options) (*turners, error) {
	base := origin(o.Upstream)
	to := base
	if o.PublicURL != nil {
		to = o.PublicURL.String()
	}
	first, err := links.New([]string{base}, to, o.RewriteLinks)
	if err != nil {
		return nil, fmt.Errorf("gateway.PublicURL: %w", err)
	}
	return &turners{any: first, byBase: make(map[string]*links.Rewriter)}, nil
}

// turn makes the links in resp begin with base, or leaves them if it is "".
func (t *turners) turn(base string, resp *http.Response) error {
	if base == "" {
		return nil
	}
	r, err := t.to(base)
	if err != nil {
		return err
	}
	return r.Response(resp)
}

func (t *turners) to(base string) (*links.Rewriter, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r, ok := t.byBase[base]; ok {
		return r, nil
	}
	r, err := t.any.To(base)
	if err != nil {
		return nil, err
	}
	if len(t.byBase) >= manyTurners {
		clear(t.byBase)
	}
	t.byBase[base] = r
	return r, nil
}
