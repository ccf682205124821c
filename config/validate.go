package config

import (
	"strings"
	"time"
)

// A validator looks at a Config as a whole, after everything was read.
type validator struct {
	*Config
	mistakes *Mistakes
}

func (c *Config) validate(mistakes *Mistakes) {
	v := validator{c, mistakes}
	v.listeners()
	v.files()
	v.spans()
	v.bounds()
	if v.AccessLog.Sample == 0 {
		v.wrong([]string{"access_log.sample"}, "0%% would write nothing but trouble (write 1%% or more, or leave access_log.file out for no log)")
	}
	v.alerts()
	seen := map[string]string{}
	for i := range c.Accounts {
		v.account(&c.Accounts[i], at("accounts", i), seen)
	}
}

// wrong tells of a mistake at the first of keys that was set anywhere; the
// first is the one that is named.
func (v validator) wrong(keys []string, format string, args ...any) {
	origin := Origin{}
	for _, key := range keys {
		if o := v.origins[key]; o.From != Default {
			origin = o
			break
		}
	}
	v.mistakes.add(origin, keys[0], format, args...)
}

// said reports whether a key was set at all, rightly or wrongly.
func (v validator) said(key string) bool { return v.origins[key].From != Default }

func (v validator) listeners() {
	if v.Listen == v.Admin.Listen && !strings.HasSuffix(string(v.Listen), ":0") {
		v.wrong([]string{"admin.listen", "listen"}, "%s is where clients call (give the admin address a port of its own, such as 127.0.0.1:4291)", v.Listen)
	}
	if !v.Admin.Listen.loopback() && v.Admin.Token == "" && v.Admin.TokenFile == "" {
		v.wrong([]string{"admin.listen"}, "%s can be reached from other machines: set an admin token (it comes from admin.token_file, --admin-token-file or FLYBALL_ADMIN_TOKEN), or use 127.0.0.1", v.Admin.Listen)
	}
	token, file := v.origins["admin.token"], v.origins["admin.token_file"]
	if token.From == file.From && token.From != Default {
		v.wrong([]string{"admin.token_file"}, "a token comes from %s already (keep one of them)", token)
	}
}

func (v validator) files() {
	switch {
	case v.TLS.Cert != "" && v.TLS.Key == "":
		v.wrong([]string{"tls.cert"}, "a certificate needs tls.key, the file with its private key")
	case v.TLS.Key != "" && v.TLS.Cert == "":
		v.wrong([]string{"tls.key"}, "a key needs tls.cert, the file with its certificate")
	}
}

// day bounds every span: nobody waits longer.
const day = Duration(24 * time.Hour)

func (v validator) spans() {
	v.span("max_wait", v.MaxWait, true, "0s never waits")
	v.span("drain_timeout", v.DrainTimeout, false, "write 1ms to cut calls at once")
	v.span("bounds.stall", v.Bounds.Stall, false, "how long a client may be silent")
	v.span("bounds.upstream_stall", v.Bounds.UpstreamStall, false, "how long Zendesk may be silent")
}

func (v validator) span(key string, d Duration, zero bool, note string) {
	switch {
	case d == 0 && !zero:
		v.wrong([]string{key}, "%s is not above 0 (%s)", d, note)
	case d > day:
		v.wrong([]string{key}, "%s is over 24h, and nobody waits that long", d)
	}
}

func (v validator) bounds() {
	v.atLeastOne("bounds.max_waiting", v.Bounds.MaxWaiting)
	v.atLeastOne("bounds.max_clients", v.Bounds.MaxClients)
	if v.Bounds.MaxHeader > 16<<20 {
		v.wrong([]string{"bounds.max_header"}, "%s is over 16MiB, for one request's header", v.Bounds.MaxHeader)
	}
	if v.Retries > 100 {
		v.wrong([]string{"retries"}, "%d is over 100 (each is one more send of a call that failed)", v.Retries)
	}
}

func (v validator) atLeastOne(key string, n Count) {
	if n == 0 {
		v.wrong([]string{key}, "0 would let nobody in (leave it out for the default)")
	}
}

func (v validator) alerts() {
	for key, share := range map[string]Share{"alerts.over": v.Alerts.Over, "alerts.others": v.Alerts.Others} {
		if share == 0 {
			v.wrong([]string{key}, "0%% is always reached (write 50%% or more)")
		}
	}
	if v.Alerts.Windows == 0 {
		v.wrong([]string{"alerts.windows"}, "0 windows are always over (write 1 or more)")
	}
	v.span("alerts.quiet", v.Alerts.Quiet, false, "each refused call would be a message")
}
