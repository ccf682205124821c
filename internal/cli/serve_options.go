package cli

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyballhq/flyball/admin"
	"github.com/flyballhq/flyball/config"
	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/gateway/links"
	"github.com/flyballhq/flyball/zendesk"
)

// open reads the whole configuration: the file, the environment over it, the
// flags over both.
func (f *serveFlags) open(cmd *cobra.Command, s Streams, account string) (*config.Live, error) {
	src := configSource(s, cmd.Flags(), f.config, account)
	if account == "" && src.File == "" && s.Env("FLYBALL_ACCOUNT") == "" {
		return nil, exactly("an ACCOUNT")(cmd, nil)
	}
	if err := f.check(s, src.File); err != nil {
		return nil, err
	}
	live, err := config.Open(src)
	return live, tellMistakes(s, err)
}

// check refuses wrong flags as a wrong call, before anything else is read.
func (f *serveFlags) check(s Streams, file string) error {
	if _, err := zendesk.ParsePlan(f.plan); err != nil {
		return wrongf("--plan: %w", err)
	}
	for _, origin := range f.origins {
		if _, err := gateway.ParseOrigin(origin); err != nil {
			return wrongf("--allow-origin: %w", err)
		}
	}
	if _, err := links.ParseMode(f.rewriteLinks); err != nil {
		return wrongf("--rewrite-links: %w", err)
	}
	switch {
	case f.giveUp != http.StatusTooManyRequests && f.giveUp != http.StatusServiceUnavailable && f.giveUp != http.StatusGatewayTimeout:
		return wrongf("--give-up %d is not 429, 503 or 504", f.giveUp)
	case f.window <= 0 || f.window > 24*time.Hour:
		return wrongf("--window %s is not between 0 and 24h (a Zendesk account's window is 1m)", f.window)
	case f.maxWait < 0:
		return wrongf("--max-wait %s is negative (0s never waits)", f.maxWait)
	case f.drainTimeout <= 0:
		return wrongf("--drain-timeout %s is not above 0 (write 1ms to cut calls at once)", f.drainTimeout)
	case f.logFormat != "" && f.logFormat != "text" && f.logFormat != "json":
		return wrongf("--log-format %q is neither text nor json", f.logFormat)
	case f.publicURL != "" && !isURL(f.publicURL):
		return wrongf("--public-url %q is not a URL (write https://zendesk.example.com)", f.publicURL)
	case file != "": // which may have the other of the two below
	case f.tlsCert != "" && f.tlsKey == "" && s.Env("FLYBALL_TLS_KEY") == "":
		return wrongf("--tls-cert needs --tls-key, the file with the certificate's private key")
	case f.tlsKey != "" && f.tlsCert == "" && s.Env("FLYBALL_TLS_CERT") == "":
		return wrongf("--tls-key needs --tls-cert, the file with the certificate")
	}
	return errors.Join(checkAddress("--listen", f.listen), checkAddress("--admin", f.admin))
}

func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// tellMistakes says what is wrong with a configuration. A mistake that is the
// command line's alone is a wrong call; several are told on a line each, which
// begins with the file and the line for editors to jump to.
func tellMistakes(s Streams, err error) error {
	var mistakes config.Mistakes
	if !errors.As(err, &mistakes) {
		return err
	}
	ours := !slices.ContainsFunc(mistakes, func(m config.Mistake) bool { return m.Origin.From != config.FromFlag })
	if ours && len(mistakes) == 1 {
		return wrong(mistakes[0])
	}
	fmt.Fprintln(s.Err, mistakes.Error())
	err = fmt.Errorf("the configuration has %s", counted(len(mistakes), "mistake"))
	if ours {
		return wrong(err)
	}
	return err
}

// adminOptions reads the admin address's token, and refuses to show the
// account to other machines without one.
func adminOptions(c *config.Config) (admin.Options, error) {
	o, err := c.AdminOptions()
	if err != nil {
		return o, err
	}
	if err := admin.CheckAddress(string(c.Admin.Listen), o.Token); err != nil {
		return o, wrongf("--admin: %w (a token comes from --admin-token-file or FLYBALL_ADMIN_TOKEN)", err)
	}
	return o, nil
}

// loadTLS loads the certificate; nil without error is plain HTTP.
func loadTLS(c config.TLS) (*tls.Config, error) {
	if c.Cert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(string(c.Cert), string(c.Key))
	if err != nil {
		return nil, fmt.Errorf("read the certificate %s and its key %s: %w (both must be PEM files that belong together, and readable for flyball)", c.Cert, c.Key, err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
	}, nil
}
