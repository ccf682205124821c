package flyball_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/cache"
)

// stub answers at once, as Zendesk would, from an account without others and
// with a limit that is never reached.
type stub struct{ header http.Header }

func newStub() stub {
	return stub{http.Header{
		"Content-Type": {"application/json; charset=utf-8"}, "Cache-Control": {"max-age=0, private, must-revalidate"},
		"Etag": {`W/"5d41402abc4b2a76b9719d911017c592"`}, "Strict-Transport-Security": {"max-age=31536000;"},
		"Vary": {"Accept-Encoding"}, "X-Request-Id": {"8f0c1d2e3b4a5968-FRA"}, "X-Runtime": {"0.181934"}, "Server": {"cloudflare"},
		"X-Rate-Limit": {"100000000"}, "X-Rate-Limit-Remaining": {"99999999"},
		"Ratelimit-Limit": {"100000000"}, "Ratelimit-Remaining": {"99999999"}, "Ratelimit-Reset": {"30"},
	}}
}

func (s stub) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: s.header.Clone(), Body: http.NoBody, Request: req,
	}, nil
}

// BenchmarkTransport is a call on a transport that answers at once, by itself
// and through flyball: the difference is flyball's whole addition to a call.
// A GET that may be joined costs more where its caller may leave at any time.
func BenchmarkTransport(b *testing.B) {
	alone := flyball.Options{Cache: cache.Options{NoCoalescing: true}}
	for _, with := range []struct {
		name string
		base http.RoundTripper
		ctx  context.Context
	}{
		{"stub alone", newStub(), b.Context()},
		{"through flyball", through(b, flyball.Options{}), b.Context()},
		{"for a caller that stays", through(b, flyball.Options{}), flyball.WithStay(b.Context())},
		{"for a caller that never leaves", through(b, flyball.Options{}), context.WithoutCancel(b.Context())},
		{"without coalescing", through(b, alone), b.Context()},
	} {
		b.Run(with.name, func(b *testing.B) { callWith(b, with.base, with.ctx) })
	}
}

func through(b *testing.B, o flyball.Options) http.RoundTripper {
	o.Account, o.Base = "acme", newStub()
	governed, err := flyball.New(o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { governed.Close() })
	return governed
}

func callWith(b *testing.B, transport http.RoundTripper, ctx context.Context) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://acme.zendesk.com/api/v2/tickets/17.json", nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer x")
	req.Header.Set("Accept", "application/json")
	b.ReportAllocs()
	for b.Loop() {
		resp, err := transport.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		_ = resp.Body.Close()
	}
}

// BenchmarkALoneReadThatMayBeMerged is the same read without and with leave to
// be merged, while nobody else calls: the difference is what merging costs a
// call that it gains nothing for.
func BenchmarkALoneReadThatMayBeMerged(b *testing.B) {
	transport, err := flyball.New(flyball.Options{Account: "acme", Base: newStub()})
	if err != nil {
		b.Fatal(err)
	}
	defer transport.Close()
	b.Run("may not", func(b *testing.B) { callWith(b, transport, b.Context()) })
	b.Run("may", func(b *testing.B) { callWith(b, transport, flyball.WithBatch(b.Context())) })
}
