package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/flyballhq/flyball/admin/dashboard"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/observe"
	"github.com/flyballhq/flyball/usage"
)

// Options says what an admin handler shows, and to whom. Snapshot is required.
type Options struct {
	// Snapshot returns the account's buckets now. It is called for each
	// request and must not block.
	Snapshot func() limit.Snapshot
	// Token, if set, is asked of everybody, as a Bearer token or as the
	// password of Basic. Without one, only callers that name a loopback or a
	// listed Host are answered, so that no web page can read along.
	Token string
	// AllowedHosts are names under which the admin address may be asked
	// without a token, beside loopback ones.
	AllowedHosts []string
	// Version is shown in /api/limits; "" leaves it out.
	Version string
	// Metrics, if set, answers /metrics.
	Metrics http.Handler
	// Usage, if set, answers /api/usage, /api/clients and /api/calls.
	Usage *usage.History
	// Events, if set, answers /api/events.
	Events *Events
	// Observe, if set, answers /api/observe: what governing would have done.
	Observe func() observe.Report
	// Ready reports whether calls are taken: listening and not draining. nil
	// is always ready.
	Ready func() bool
}

type handler struct {
	opts  Options
	pages map[string]http.HandlerFunc // by path
	looks map[string]http.HandlerFunc // the dashboard's, which hold nothing of the account
	token [sha256.Size]byte
}

// New returns the handler of an admin address. Any number of requests may be
// served at once.
//
//	GET /             the dashboard, a web page; it asks for the token itself
//	GET /api/limits   every bucket of the account, as [Limits]
//	GET /api/events   what happens, as it happens, as [Event] and [Now] (SSE)
//	GET /api/openapi.yaml  all of these, described
//	GET /metrics      Options.Metrics, in Prometheus's form
//	GET /api/usage    what a time of use came to, in steps, as [Usage]; ?window=6h&step=1m
//	GET /api/clients  who used the account over a time, as [Clients]; ?window=24h
//	GET /api/calls    which calls wait, were refused, were held long, as [Calls]
//	GET /api/observe  what governing would have done, as [observe.Report], where calls are only watched
//	GET /healthz      200 while the process serves at all; needs no token
//	GET /readyz       200 while calls are taken, else 503; needs no token
//
// Everything else is 404. Errors are JSON: {"error":...,"description":...}.
func New(opts Options) (http.Handler, error) {
	if opts.Snapshot == nil {
		return nil, errors.New("admin.Snapshot: missing; give a flyball.Transport's Snapshot")
	}
	if opts.Ready == nil {
		opts.Ready = func() bool { return true }
	}
	h := &handler{opts: opts, token: sha256.Sum256([]byte(opts.Token))}
	h.pages = h.makePages()
	var err error
	if h.looks, err = dashboard.Pages(); err != nil {
		return nil, fmt.Errorf("admin: the dashboard's files: %w", err)
	}
	return h, nil
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		fail(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "the admin address only shows; use GET")
		return
	}
	switch r.URL.Path {
	case "/healthz":
		reply(w, http.StatusOK, map[string]string{"status": "ok"})
	case "/readyz":
		h.ready(w)
	default:
		h.guarded(w, r)
	}
}

func (h *handler) ready(w http.ResponseWriter) {
	if !h.opts.Ready() {
		fail(w, http.StatusServiceUnavailable, "NotReady", "flyball is not listening yet, or is draining")
		return
	}
	reply(w, http.StatusOK, map[string]string{"status": "ready"})
}

// guarded serves what not everybody may see.
func (h *handler) guarded(w http.ResponseWriter, r *http.Request) {
	look := h.looks[r.URL.Path]
	switch {
	case h.opts.Token != "" && look != nil:
		look(w, r)
	case h.opts.Token != "" && !h.admits(r):
		w.Header().Set("WWW-Authenticate", `Basic realm="flyball admin", charset="UTF-8"`)
		fail(w, http.StatusUnauthorized, "Unauthorized", "send the admin token: Authorization: Bearer TOKEN")
	case h.opts.Token == "" && !h.knows(r.Host):
		fail(w, http.StatusForbidden, "UnknownHost", "without a token the admin address answers only to loopback names such as 127.0.0.1 and localhost; use one of those, or set a token")
	case look != nil:
		look(w, r)
	default:
		page := h.pages[r.URL.Path]
		if page == nil {
			fail(w, http.StatusNotFound, "NotFound", "the admin address has "+h.contents())
			return
		}
		page(w, r)
	}
}

// admits compares hashes in constant time, so that neither content nor length
// of the token can be found by timing.
func (h *handler) admits(r *http.Request) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		_, given, ok = r.BasicAuth()
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(given)))
	return subtle.ConstantTimeCompare(sum[:], h.token[:]) == 1 && ok
}

// knows reports whether host is a name that a hostile web page cannot point
// at this address (DNS rebinding).
func (h *handler) knows(host string) bool {
	name := host
	if n, _, err := net.SplitHostPort(host); err == nil {
		name = n
	}
	if loopback(strings.Trim(name, "[]")) {
		return true
	}
	for _, allowed := range h.opts.AllowedHosts {
		if strings.EqualFold(allowed, host) || strings.EqualFold(allowed, name) {
			return true
		}
	}
	return false
}

func loopback(name string) bool {
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.Unmap().IsLoopback()
	}
	return strings.EqualFold(name, "localhost")
}

func fail(w http.ResponseWriter, status int, name, description string) {
	reply(w, status, map[string]string{"error": name, "description": description})
}

func reply(w http.ResponseWriter, status int, doc any) {
	text, err := json.Marshal(doc)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error":"Bug","description":"this document cannot be written as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // a reader that has left reads nothing
}

// CheckAddress returns an error when listening for admins on addr would show
// the account's state to other machines: anything but a loopback address needs
// a token.
func CheckAddress(addr, token string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("admin address %q: %w; write it as 127.0.0.1:4291", addr, err)
	}
	if token != "" || loopback(host) {
		return nil
	}
	return fmt.Errorf("admin address %q can be reached from other machines: set an admin token, or use 127.0.0.1", addr)
}

// Serve serves h on l until ctx ends, lets requests under way end for a second,
// and closes l.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		_ = server.Close()
		return fmt.Errorf("serve admin on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		_ = server.Close()
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve admin on %s: %w", l.Addr(), err)
	}
	return nil
}
