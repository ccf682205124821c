package config

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/admin"
	"github.com/flyballhq/flyball/alert"
	"github.com/flyballhq/flyball/elide"
	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/gateway/links"
)

// Transport returns the options of the served account's transport. Base,
// OnEvent and, with [Config.OpenStore], Cache.Store are the caller's to fill.
func (c *Config) Transport() flyball.Options {
	a := c.Account()
	if a == nil {
		return flyball.Options{}
	}
	o := flyball.Options{
		Account: a.URL().String(), Plan: string(a.Plan), Window: time.Duration(a.Window),
		MaxWaiting: int(c.Bounds.MaxWaiting), Retries: int(c.Retries), BodyMemory: int64(c.Bounds.BodyMemory),
		Regulation: a.regulation(), Quotas: a.quotas(),
		Batch: flyball.Batch{ReadWindow: window(a.Batch.ReadWindow), WriteWindow: window(a.Batch.WriteWindow)},
		Elide: elide.Options{Within: time.Duration(a.Elide.Within)},
		Cache: a.Cache.options(),
	}
	if c.Retries == 0 {
		o.Retries = -1 // what the transport calls "none"
	}
	return o
}

// window is a merge window in the transport's terms, where none is negative.
func window(d Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return time.Duration(d)
}

// Gateway returns the options of the served account's gateway. Transport and
// Log are the caller's to fill, and Decide, with [Live.Decide].
func (c *Config) Gateway() gateway.Options {
	o := gateway.Options{
		MaxWait: time.Duration(c.MaxWait), GiveUp: int(c.GiveUp), DrainTimeout: time.Duration(c.DrainTimeout),
		PublicURL:      c.PublicURL.URL(),
		AllowedHosts:   hosts(c.AllowedHosts),
		MaxHeaderBytes: int(c.Bounds.MaxHeader), MaxBodyBytes: int64(c.Bounds.MaxBody),
		Stall: time.Duration(c.Bounds.Stall), UpstreamStall: time.Duration(c.Bounds.UpstreamStall),
		MaxClients: int(c.Bounds.MaxClients),
	}
	if a := c.Account(); a != nil {
		o.Upstream = a.URL()
	}
	if c.MaxWait == 0 {
		o.MaxWait = -1 // what the gateway calls "never"
	}
	for _, mode := range []links.Mode{links.Navigation, links.All, links.Off} {
		if mode.String() == string(c.RewriteLinks) {
			o.RewriteLinks = mode
		}
	}
	for _, origin := range c.CORS.Origins {
		o.Origins = append(o.Origins, string(origin))
	}
	for _, p := range c.TrustedPeers {
		o.TrustedPeers = append(o.TrustedPeers, netip.Prefix(p))
	}
	return o
}

// AdminOptions returns the options of the admin address, whose token it reads.
// Snapshot, Version and Ready are the caller's to fill.
func (c *Config) AdminOptions() (admin.Options, error) {
	token, err := c.adminToken()
	return admin.Options{Token: token, AllowedHosts: hosts(c.Admin.AllowedHosts)}, err
}

// adminToken is the token of whichever place comes last: file, environment,
// flag.
func (c *Config) adminToken() (string, error) {
	token, err := c.secret("admin.token", c.Admin.Token, "admin.token_file", c.Admin.TokenFile)
	if err != nil {
		err = fmt.Errorf("read the admin token: %w (--admin-token-file or admin.token_file names a file that holds nothing else)", err)
	}
	return token, err
}

// AlertOptions returns the options of the alerts, whose webhook it reads; it
// is "" when nobody is to be told. Snapshot and Log are the caller's to fill.
func (c *Config) AlertOptions() (alert.Options, error) {
	hook, err := c.secret("alerts.webhook", c.Alerts.Webhook, "alerts.webhook_file", c.Alerts.WebhookFile)
	if err != nil {
		err = fmt.Errorf("read the webhook of alerts: %w (alerts.webhook_file names a file that holds nothing else)", err)
	}
	return alert.Options{
		Webhook: hook, Over: float64(c.Alerts.Over), Others: float64(c.Alerts.Others),
		Windows: int(c.Alerts.Windows), Quiet: time.Duration(c.Alerts.Quiet),
	}, err
}

// secret is one that stands in the environment or in a file of its own,
// whichever place comes last.
func (c *Config) secret(key string, said Secret, fileKey string, file File) (string, error) {
	if file == "" || said != "" && c.origins[key].From > c.origins[fileKey].From {
		return string(said), nil
	}
	text, err := os.ReadFile(string(file))
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		return "", fmt.Errorf("%s is empty", file)
	}
	return secret, nil
}

// ClientNames returns the names of the clients that the served account's part
// of the file knows.
func (c *Config) ClientNames() []string {
	var names []string
	if a := c.Account(); a != nil {
		for i := range a.Clients {
			names = append(names, string(a.Clients[i].Name))
		}
	}
	return names
}

func hosts(from []Host) []string {
	var all []string
	for _, h := range from {
		all = append(all, string(h))
	}
	return all
}
