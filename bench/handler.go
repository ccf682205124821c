package main

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
)

// serveHandler is what flyball's hit is held against: a net/http handler that
// keeps each answer by path, query and credential and does nothing else.
func serveHandler(l net.Listener, upstream *url.URL) error {
	k := &keeping{upstream: upstream, of: map[string]keptAnswer{}}
	return (&http.Server{Handler: k}).Serve(l)
}

type keptAnswer struct {
	header http.Header
	body   []byte
}

type keeping struct {
	upstream *url.URL

	mu sync.RWMutex
	of map[string]keptAnswer
}

func (k *keeping) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Authorization") + r.RequestURI
	k.mu.RLock()
	answer, ok := k.of[key]
	k.mu.RUnlock()
	if !ok {
		var err error
		if answer, err = k.ask(r); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		k.mu.Lock()
		k.of[key] = answer
		k.mu.Unlock()
	}
	header := w.Header()
	for name, values := range answer.header {
		header[name] = values
	}
	_, _ = w.Write(answer.body) // the client may have left
}

func (k *keeping) ask(r *http.Request) (keptAnswer, error) {
	out, err := http.NewRequestWithContext(r.Context(), http.MethodGet, k.upstream.String()+r.RequestURI, nil)
	if err != nil {
		return keptAnswer{}, err
	}
	out.Header = r.Header.Clone()
	resp, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		return keptAnswer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	delete(resp.Header, "Set-Cookie")
	return keptAnswer{resp.Header, body}, err
}
