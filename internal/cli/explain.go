package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"

	"github.com/flyballhq/flyball"
)

// explain says why host could not be asked, and the way out.
func explain(host string, err error) error {
	var wait *flyball.WaitError
	if errors.As(err, &wait) {
		return wait
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("stopped before %s answered (a call under way may have been carried out)", host)
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	what, way := diagnose(err)
	return fmt.Errorf("%s %s (%s)", host, what, way)
}

func diagnose(err error) (what, way string) {
	var dns *net.DNSError
	var record tls.RecordHeaderError
	var certificate *tls.CertificateVerificationError
	text := err.Error()
	switch {
	case errors.As(err, &dns):
		return "does not resolve", "check the account's name, and this machine's DNS"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refuses connections", "check the address and port, and that something listens there"
	case errors.As(err, &record), strings.Contains(text, "HTTP response to HTTPS client"):
		return "does not speak TLS", "write http:// in its URL, or use its TLS port"
	case errors.As(err, &certificate):
		return "shows a certificate that is not trusted: " + certificate.Err.Error(), "name its authority's file in SSL_CERT_FILE"
	case strings.Contains(text, "malformed HTTP"), strings.Contains(text, "readLoopPeekFail"): // the latter spoke first
		return "does not speak HTTP", "check the address and port, and whether https:// is needed"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "broke off its answer", "the call may have been carried out: look before sending it again"
	}
	return "could not be asked: " + text, "check the network between here and there"
}
