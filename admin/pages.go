package admin

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// pages are the paths that not everybody may see, those that Options provide
// for.
func (h *handler) makePages() map[string]http.HandlerFunc {
	pages := map[string]http.HandlerFunc{
		"/api/limits":       h.limits,
		"/api/openapi.yaml": serveOpenAPI,
	}
	if h.opts.Usage != nil {
		pages["/api/usage"] = over(h, NewUsage)
		pages["/api/clients"] = over(h, NewClients)
		pages["/api/calls"] = h.calls
	}
	if h.opts.Observe != nil {
		pages["/api/observe"] = func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, h.opts.Observe()) }
	}
	if h.opts.Events != nil {
		pages["/api/events"] = h.opts.Events.ServeHTTP
	}
	if h.opts.Metrics != nil {
		pages["/metrics"] = h.opts.Metrics.ServeHTTP
	}
	return pages
}

// contents names all pages.
func (h *handler) contents() string {
	return "/ (the dashboard), " + strings.Join(slices.Sorted(maps.Keys(h.pages)), ", ") + ", /healthz and /readyz"
}

func (h *handler) limits(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, NewLimits(h.opts.Snapshot(), h.opts.Version))
}

func (h *handler) calls(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, NewCalls(h.opts.Snapshot(), time.Now(), h.opts.Usage))
}
