package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/limit"
)

// fail answers a call for which the transport had no response.
func (g *Gateway) fail(w http.ResponseWriter, out *http.Request, err error) {
	a, c := w.(*answer), callFrom(out.Context())
	if a.begun {
		panic(http.ErrAbortHandler)
	}
	var wait *limit.WaitError
	switch {
	case errors.Is(context.Cause(out.Context()), errCut):
		g.decline(a, c, drainingNow())
	case c.bodyErr.Load() != nil:
		g.failBody(a, c, *c.bodyErr.Load())
	case out.Context().Err() != nil: // also when it ended a wait
		g.left(c)
	case errors.As(err, &wait):
		g.decline(a, c, g.waitTooLong(wait))
	default:
		g.decline(a, c, g.fault(err))
	}
}

// left ends a call whose client has gone. Nothing is sent: an empty 200 would
// be taken for an answer by a client that only closed its sending side.
func (g *Gateway) left(c *call) {
	g.opts.Log.Info("client left", "status", 499, "method", c.method, "path", scrub(c.path), "client", scrub(c.ask.Client),
		"after", short(time.Since(c.began)))
	panic(http.ErrAbortHandler)
}

// failBody answers a call whose request body broke a bound or broke off.
func (g *Gateway) failBody(a *answer, c *call, err error) {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		g.decline(a, c, bodyTooLarge(tooLarge.Limit))
	case errors.Is(err, os.ErrDeadlineExceeded):
		g.decline(a, c, &refusal{
			status: http.StatusRequestTimeout, close: true, Error: "FlyballSlowBody",
			Description: fmt.Sprintf("the request's body did not come within %s, or came slower than %d bytes a second; the call was not sent", g.opts.Stall, slowest),
		})
	case errors.Is(err, io.ErrUnexpectedEOF), isNetError(err), c.gone():
		g.left(c)
	default:
		g.decline(a, c, &refusal{
			status: http.StatusBadRequest, close: true, Error: "FlyballBadBody",
			Description: "the request's body is not well formed: " + scrub(err.Error()),
		})
	}
}

func isNetError(err error) bool {
	var ne net.Error
	return errors.As(err, &ne)
}

func bodyTooLarge(limit int64) *refusal {
	return &refusal{
		status: http.StatusRequestEntityTooLarge, close: true, Error: "FlyballBodyTooLarge",
		Description: fmt.Sprintf("the request's body is larger than %d bytes; the call was not sent; send it in parts or raise flyball's body limit", limit),
	}
}

// A trouble is one way in which the account cannot be reached: how RFC 9209
// calls it, what happened, and the way out.
type trouble struct {
	status              int
	proxyError          string
	happened, remedyFor string
}

// fault turns a transport error into a 502 or 504 that names what failed and
// the way out. The text of the error itself stays out of it where the account,
// or whoever answers in its place, chose the words.
func (g *Gateway) fault(err error) *refusal {
	t := diagnose(err)
	host := g.opts.Upstream.Host
	return &refusal{
		status: t.status, proxyError: t.proxyError, Error: "FlyballUpstreamFailed",
		Description: fmt.Sprintf("%s %s: %s", host, t.happened, t.remedyFor),
	}
}

func diagnose(err error) trouble {
	if uncertain, ok := errors.AsType[*flyball.UncertainError](err); ok {
		return diagnoseJob(uncertain)
	}
	if t, ok := diagnoseDial(err); ok {
		return t
	}
	if t, ok := diagnoseTLS(err); ok {
		return t
	}
	return diagnoseAnswer(err)
}

// diagnoseJob is for a write that was merged into a job whose end nobody knows.
func diagnoseJob(err *flyball.UncertainError) trouble {
	job := "a background job"
	if err.Job != "" {
		job = "background job " + scrub(err.Job)
	}
	t := trouble{
		502, "http_response_incomplete", "made the call part of " + job + " and did not say what came of it",
		"the call may have been carried out; look before sending it again",
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.status, t.proxyError = 504, "http_response_timeout"
	}
	return t
}

func diagnoseDial(err error) (trouble, bool) {
	var dns *net.DNSError
	var op *net.OpError
	proxied := errors.As(err, &op) && op.Op == "proxyconnect"
	switch {
	case proxied || strings.Contains(err.Error(), "proxyconnect"):
		return trouble{502, "destination_unavailable", "cannot be reached through the outbound proxy", "check HTTPS_PROXY and NO_PROXY"}, true
	case errors.As(err, &dns) && dns.IsTimeout:
		return trouble{504, "dns_timeout", "was not resolved in time", "check this machine's name servers"}, true
	case errors.As(err, &dns):
		return trouble{502, "dns_error", "does not resolve", "check the account's name for a typing error, and this machine's name servers"}, true
	case errors.Is(err, syscall.ECONNREFUSED):
		return trouble{502, "connection_refused", "refuses connections", "check the address and port, and that something listens there"}, true
	case errors.As(err, &op) && op.Op == "dial" && op.Timeout():
		return trouble{504, "connection_timeout", "did not accept a connection in time", "check the network between here and there, and whether an outbound proxy (HTTPS_PROXY) is needed"}, true
	case errors.As(err, &op) && op.Op == "dial":
		return trouble{502, "destination_ip_unroutable", "cannot be reached", "check the network between here and there"}, true
	}
	return trouble{}, false
}

func diagnoseTLS(err error) (trouble, bool) {
	var record tls.RecordHeaderError
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var alert tls.AlertError
	text := err.Error()
	switch {
	case errors.As(err, &record) || strings.Contains(text, "server gave HTTP response to HTTPS client"):
		return trouble{502, "tls_protocol_error", "does not speak TLS", "use http:// in the account's URL, or its TLS port"}, true
	case errors.As(err, &name):
		return trouble{502, "tls_certificate_error", "shows a certificate for another name", "check the account's name, and what stands between here and there"}, true
	case errors.As(err, &verify), errors.As(err, &unknown):
		return trouble{502, "tls_certificate_error", "shows a certificate that is not trusted", "name its authority's file in SSL_CERT_FILE, and check what stands between here and there"}, true
	case errors.As(err, &alert), strings.Contains(text, "tls: "):
		return trouble{502, "tls_protocol_error", "broke off the TLS handshake", "check the address, and what stands between here and there"}, true
	case strings.Contains(text, "TLS handshake timeout"):
		return trouble{504, "connection_timeout", "did not finish the TLS handshake in time", "check the network between here and there"}, true
	}
	return trouble{}, false
}

// diagnoseAnswer reads errors of net/http that have no type: their words are
// fixed since Go 1.
func diagnoseAnswer(err error) trouble {
	text := err.Error()
	switch {
	case strings.Contains(text, "server response headers exceeded"):
		return trouble{502, "http_response_header_section_size", "answered with more than 1 MiB of header", "check what stands between here and there"}
	case strings.Contains(text, "timeout awaiting response headers"):
		return trouble{504, "http_response_timeout", "did not answer in time", "the call may have been carried out; look before sending it again"}
	// readLoopPeekFail: it spoke first, which no HTTP server does.
	case strings.Contains(text, "readLoopPeekFail"), strings.Contains(text, "malformed"), strings.Contains(text, "unexpected status line"), strings.Contains(text, "bad Content-Length"),
		strings.Contains(text, "transfer encoding"), strings.Contains(text, "invalid"):
		return trouble{502, "http_protocol_error", "does not speak HTTP", "check the address and port, and whether https:// is needed"}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		strings.Contains(text, "server closed idle connection"):
		return trouble{502, "connection_terminated", "closed the connection without an answer", "the call may have been carried out; look before sending it again"}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return trouble{504, "http_response_timeout", "did not answer in time", "the call may have been carried out; look before sending it again"}
	default:
		return trouble{502, "destination_unavailable", "could not be asked", scrub(text)}
	}
}

// recovered keeps a panic below the gateway from ending more than its call.
func (g *Gateway) recovered(a *answer, c *call) {
	p := recover()
	if p == nil {
		return
	}
	c.cut = a.begun
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(http.ErrAbortHandler)
	}
	g.opts.Log.Error("bug: a call panicked", "method", c.method, "path", scrub(c.path), "client", scrub(c.ask.Client),
		"panic", scrub(fmt.Sprint(p)), "stack", string(debug.Stack()))
	if a.begun {
		panic(http.ErrAbortHandler)
	}
	c.refused = "FlyballBug"
	(&refusal{
		status: http.StatusInternalServerError, proxyError: "proxy_internal_error", close: true, Error: "FlyballBug",
		Description: "flyball failed while serving this call; its log says where; the call may have been carried out",
	}).write(a, c)
}
