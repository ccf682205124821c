package cli

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/gateway/links"
	"github.com/flyballhq/flyball/zendesk"
)

// check refuses what the rooms below would refuse, in words of the flags.
func (f *serveFlags) check() error {
	if _, err := zendesk.ParsePlan(f.plan); err != nil {
		return wrongf("--plan: %w", err)
	}
	switch {
	case f.giveUp != 429 && f.giveUp != 503 && f.giveUp != 504:
		return wrongf("--give-up %d is not 429, 503 or 504", f.giveUp)
	case f.window <= 0 || f.window > 24*time.Hour:
		return wrongf("--window %s is not between 0 and 24h (a Zendesk account's window is 1m)", f.window)
	case f.maxWait < 0:
		return wrongf("--max-wait %s is negative (0s never waits)", f.maxWait)
	case f.drainTimeout <= 0:
		return wrongf("--drain-timeout %s is not above 0 (write 1ms to cut calls at once)", f.drainTimeout)
	}
	return nil
}

// gatewayOptions reads the flags that are the gateway's.
func (f *serveFlags) gatewayOptions(s Streams, upstream *url.URL) (gateway.Options, error) {
	o := gateway.Options{
		Upstream: upstream, Label: label,
		MaxWait: f.maxWait, GiveUp: f.giveUp, DrainTimeout: f.drainTimeout,
	}
	if f.maxWait == 0 {
		o.MaxWait = -1 // what the gateway calls "never"
	}
	var err error
	if o.RewriteLinks, err = links.ParseMode(f.rewriteLinks); err != nil {
		return o, wrongf("--rewrite-links: %w", err)
	}
	if f.publicURL != "" {
		if o.PublicURL, err = parsePublic(f.publicURL); err != nil {
			return o, err
		}
	}
	o.Log, err = newLogger(s, f.logFormat)
	return o, err
}

func parsePublic(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, wrongf("--public-url %q is not a URL (write https://zendesk.example.com)", text)
	}
	return u, nil
}

// adminToken reads the admin address's token: from the file, else from the
// environment; "" is none.
func (f *serveFlags) adminToken(s Streams) (string, error) {
	if f.tokenFile == "" {
		return strings.TrimSpace(s.Env("FLYBALL_ADMIN_TOKEN")), nil
	}
	text, err := os.ReadFile(f.tokenFile)
	if err != nil {
		return "", fmt.Errorf("read the admin token: %w (--admin-token-file names a file that holds nothing else)", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" {
		return "", fmt.Errorf("the admin token's file %s is empty (write the token into it)", f.tokenFile)
	}
	return token, nil
}

// tls loads the certificate; nil without error is plain HTTP.
func (f *serveFlags) tls() (*tls.Config, error) {
	switch {
	case f.tlsCert == "" && f.tlsKey == "":
		return nil, nil
	case f.tlsKey == "":
		return nil, wrongf("--tls-cert needs --tls-key, the file with the certificate's private key")
	case f.tlsCert == "":
		return nil, wrongf("--tls-key needs --tls-cert, the file with the certificate")
	}
	pair, err := tls.LoadX509KeyPair(f.tlsCert, f.tlsKey)
	if err != nil {
		return nil, fmt.Errorf("read the certificate %s and its key %s: %w (both must be PEM files that belong together, and readable for flyball)", f.tlsCert, f.tlsKey, err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
	}, nil
}
