package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/gateway/links"
)

// The defaults of [Options].
const (
	DefaultMaxWait        = 50 * time.Second
	DefaultDrainTimeout   = 25 * time.Second
	DefaultMaxHeaderBytes = 64 << 10
	DefaultMaxBodyBytes   = 256 << 20
	DefaultStall          = 30 * time.Second
	DefaultUpstreamStall  = 2 * time.Minute
	DefaultMaxClients     = 1024
)

// Options says what a gateway stands in front of. Upstream and Transport are
// required; the zero value of the rest is the recommended behaviour.
type Options struct {
	// Upstream is the account's origin, such as https://acme.zendesk.com. It
	// has neither path nor query.
	Upstream *url.URL
	// Transport makes the sends. It is the account's one flyball.Transport,
	// or, to watch without governing, what [Base] returns.
	Transport http.RoundTripper
	// Label puts what the caller asked for where Transport finds it: into the
	// context of the send. nil does so for a flyball.Transport.
	Label func(context.Context, Ask) context.Context

	// MaxWait is how long a call may take in holds and retries together.
	// 0 is 50 s, negative is never to wait. A caller may ask for less with
	// "Prefer: wait=N", never for more. Clients commonly give up after 60 s
	// and then send the same call twice: stay below that.
	MaxWait time.Duration
	// GiveUp is the status of an answer that says "too many requests": 429
	// (the default), 503 or 504, for clients that mistake a 429 for data.
	// It applies to flyball's own refusals and to the server's 429s alike.
	// With 503 no refusal has a Retry-After, for node-zendesk takes an answer
	// with one for data; a client that cannot do without needs 429.
	GiveUp int
	// Decide says what holds for a call, by who makes it and what it calls;
	// its MaxWait then holds in place of the one above. It is called once for
	// each call, by many goroutines at once; it must not block, and must leave
	// the request as it is. nil: MaxWait holds for every call, and everybody
	// may ask for interactive.
	Decide func(*http.Request) Decision

	// PublicURL is the gateway's own address as its clients write it. Links
	// in answers begin with it; a path in it is for a proxy in front to
	// remove. nil: the Host that the client asked for, if
	// it may be trusted (loopback, listed, or the address it came in on).
	PublicURL *url.URL
	// RewriteLinks says which links in answers are turned towards the gateway;
	// the zero value is those to the next page and to jobs.
	RewriteLinks links.Mode
	// AllowedHosts are the names, with or without a port, under which
	// clients may know the gateway.
	AllowedHosts []string
	// TrustedPeers are the proxies whose X-Forwarded-Host and
	// X-Forwarded-Proto are believed.
	TrustedPeers []netip.Prefix

	// Origins are the web origins whose pages may call, such as
	// https://app.example.com: their browsers' preflights are answered without
	// a send, and their scripts may read Retry-After and the limit headers.
	// They call with an OAuth token; Basic and cookies are refused. Pages of
	// other origins are told nothing, so that browsers keep answers from them.
	Origins []string
	// Untouched passes requests and answers on as they are, but for the
	// headers that are for the gateway: links are not turned, refusals keep
	// their status, nothing is added, and Origins holds for nobody. It is for
	// a Transport that only watches.
	Untouched bool

	// MaxHeaderBytes bounds a request's line and header; default 64 KiB. A
	// larger one is answered 431.
	MaxHeaderBytes int
	// MaxBodyBytes bounds a request's body; default 256 MiB. A larger one is
	// answered 413.
	MaxBodyBytes int64
	// Stall is how long a client may keep the gateway waiting: for a whole
	// request header, for a body to begin or fall behind 4 KiB/s, or for room
	// to write to; default 30 s.
	Stall time.Duration
	// UpstreamStall is how long the account may be silent in the middle of
	// an answer's body; default 2 min.
	UpstreamStall time.Duration
	// DrainTimeout is how long [Gateway.Serve] lets calls end when it is
	// told to stop; default 25 s.
	DrainTimeout time.Duration
	// MaxClients bounds how many callers are remembered by name, and so how
	// many names there are in metrics; default 1024.
	MaxClients int

	// Log takes one line for each call that the gateway itself had to refuse
	// or could not finish. nil discards them. Give [LogSink] to the transport
	// for the lines about holds and refusals.
	Log *slog.Logger
	// OnServed is told of each call when its answer has been handed over, or
	// could not be; an access log takes it. It is called by many goroutines at
	// once and must not block. nil tells nobody.
	OnServed func(event.Served)
}

// withDefaults returns o with its zero values replaced, or says which one is
// wrong.
func (o Options) withDefaults() (Options, error) {
	if err := o.validate(); err != nil {
		return o, err
	}
	setDefault(&o.MaxWait, DefaultMaxWait)
	setDefault(&o.GiveUp, http.StatusTooManyRequests)
	setDefault(&o.MaxHeaderBytes, DefaultMaxHeaderBytes)
	setDefault(&o.MaxBodyBytes, DefaultMaxBodyBytes)
	setDefault(&o.Stall, DefaultStall)
	setDefault(&o.UpstreamStall, DefaultUpstreamStall)
	setDefault(&o.DrainTimeout, DefaultDrainTimeout)
	setDefault(&o.MaxClients, DefaultMaxClients)
	o.MaxWait = max(o.MaxWait, 0)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Untouched {
		o.Origins, o.RewriteLinks, o.GiveUp = nil, links.Off, http.StatusTooManyRequests
	}
	if o.Label == nil {
		o.Label = Label
	}
	if o.Decide == nil {
		o.Decide = sameForAll(o.MaxWait)
	}
	return o, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (o Options) validate() error {
	return errors.Join(
		o.validateUpstream(),
		o.validateGiveUp(),
		o.validateOrigins(),
		notNegative("MaxHeaderBytes", o.MaxHeaderBytes),
		notNegative("MaxBodyBytes", o.MaxBodyBytes),
		notNegative("Stall", o.Stall),
		notNegative("UpstreamStall", o.UpstreamStall),
		notNegative("DrainTimeout", o.DrainTimeout),
		notNegative("MaxClients", o.MaxClients),
	)
}

func (o Options) validateUpstream() error {
	if o.Upstream == nil {
		return errors.New("gateway.Upstream: missing; give the account's origin, such as https://acme.zendesk.com")
	}
	if o.Transport == nil {
		return errors.New("gateway.Transport: missing; give a flyball.Transport, or gateway.Base to watch only")
	}
	return validateOrigin("Upstream", o.Upstream)
}

func (o Options) validateGiveUp() error {
	switch o.GiveUp {
	case 0, http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return nil
	default:
		return fmt.Errorf("gateway.GiveUp: %d is not 429, 503 or 504", o.GiveUp)
	}
}

func (o Options) validateOrigins() error {
	for _, text := range o.Origins {
		if plain, err := ParseOrigin(text); err != nil {
			return fmt.Errorf("gateway.Origins: %w", err)
		} else if plain != text {
			return fmt.Errorf("gateway.Origins: browsers write %q as %q; write it so too", text, plain)
		}
	}
	return nil
}

func validateOrigin(field string, u *url.URL) error {
	if u == nil {
		return nil
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return fmt.Errorf("gateway.%s: %q is not an origin such as https://acme.zendesk.com", field, u.Redacted())
	case u.User != nil:
		return fmt.Errorf("gateway.%s: %q holds a credential; clients send their own", field, u.Redacted())
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.Fragment != "":
		return fmt.Errorf("gateway.%s: %q has more than scheme and host; leave the rest to the calls", field, u.Redacted())
	}
	return nil
}

func notNegative[T int | int64 | time.Duration](field string, v T) error {
	if v < 0 {
		return fmt.Errorf("gateway.%s: %v is negative", field, v)
	}
	return nil
}
