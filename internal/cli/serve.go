package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/zendesk"
)

// serveFlags are the flags of flyball serve as they were written.
type serveFlags struct {
	listen       string
	plan         string
	window       time.Duration
	maxWait      time.Duration
	giveUp       int
	publicURL    string
	tlsCert      string
	tlsKey       string
	drainTimeout time.Duration
	logFormat    string
}

func newServe(s Streams) *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve ACCOUNT [flags]",
		Short: "Run the gateway: your clients' base URL for one account",
		Long: `Run a gateway in front of one Zendesk account. Clients change their base URL and
nothing else. Each call goes out as soon as the account's limits allow; links to
the next page lead back to the gateway.

ACCOUNT is acme, acme.zendesk.com or a URL. The callers' own credentials are
passed on and none is stored. Set your clients' timeout above 60 s, or start
with --max-wait 8s.

Ctrl-C or SIGTERM lets the calls under way end (--drain-timeout); a second one
ends the process at once.`,
		Example: `  flyball serve acme
  flyball serve acme --plan enterprise --max-wait 8s
  flyball serve http://127.0.0.1:4292      in front of flyball sim`,
		Args: exactly("an ACCOUNT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), s, args[0])
		},
		Annotations: exits("told to end, and every call was answered", "cannot listen, no such host, or calls were cut at the end", "wrong call"),
	}
	f.register(cmd)
	return cmd
}

func (f *serveFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:4290", "`HOST:PORT` for clients; port 0 takes any free one")
	flags.StringVar(&f.plan, "plan", "", "the account's `PLAN`, a first guess until its answers state the limit:\n"+planNames()+" (default unknown: 200 a minute)")
	flags.DurationVar(&f.window, "window", time.Minute, "span of the account's limit, for a simulator whose minute is shorter")
	flags.DurationVar(&f.maxWait, "max-wait", gateway.DefaultMaxWait, "longest a call may take in holds and retries together; 0s never waits")
	flags.IntVar(&f.giveUp, "give-up", http.StatusTooManyRequests, "`STATUS` that says too many requests: 429, 503 or 504")
	flags.StringVar(&f.publicURL, "public-url", "", "`URL` under which clients know the gateway, for links (default the Host they ask for)")
	flags.StringVar(&f.tlsCert, "tls-cert", "", "PEM `FILE` with the certificate to serve HTTPS (default none: plain HTTP)")
	flags.StringVar(&f.tlsKey, "tls-key", "", "PEM `FILE` with its private key (default none)")
	flags.DurationVar(&f.drainTimeout, "drain-timeout", gateway.DefaultDrainTimeout, "how long calls may take to end on SIGTERM")
	flags.StringVar(&f.logFormat, "log-format", "", "text or json, on standard error (default text on a terminal, else json)")
}

func (f *serveFlags) run(ctx context.Context, s Streams, account string) error {
	upstream, err := zendesk.Account(account)
	if err != nil {
		return wrong(err)
	}
	opts, err := f.gatewayOptions(s, upstream)
	if err != nil {
		return err
	}
	tlsConfig, err := f.tls()
	if err != nil {
		return err
	}
	transport, err := flyball.New(flyball.Options{
		Account: upstream.String(), Plan: f.plan, Window: f.window,
		Base: gateway.Base(upstream), OnEvent: gateway.LogSink(opts.Log),
	})
	if err != nil {
		return wrong(err)
	}
	defer transport.Close()
	defer transport.CloseIdleConnections()
	opts.Transport = transport
	g, err := gateway.New(opts)
	if err != nil {
		return wrong(err)
	}
	if err := resolves(ctx, upstream); err != nil {
		return err
	}
	l, err := listen(ctx, "--listen", f.listen)
	if err != nil {
		return err
	}
	f.announce(s, upstream, l.Addr())
	if tlsConfig != nil {
		l = tls.NewListener(l, tlsConfig)
	}
	return g.Serve(ctx, l)
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
	if f.maxWait < 0 {
		return o, wrongf("--max-wait %s is negative (0s never waits)", f.maxWait)
	}
	if f.giveUp != 429 && f.giveUp != 503 && f.giveUp != 504 {
		return o, wrongf("--give-up %d is not 429, 503 or 504", f.giveUp)
	}
	if _, err := zendesk.ParsePlan(f.plan); err != nil {
		return o, wrongf("--plan: %w", err)
	}
	if f.window <= 0 || f.window > 24*time.Hour {
		return o, wrongf("--window %s is not between 0 and 24h (an account's window is 1m)", f.window)
	}
	var err error
	if f.publicURL != "" {
		if o.PublicURL, err = url.Parse(f.publicURL); err != nil || o.PublicURL.Host == "" {
			return o, wrongf("--public-url %q is not a URL (write https://zendesk.example.com)", f.publicURL)
		}
	}
	o.Log, err = newLogger(s, f.logFormat)
	return o, err
}

// label hands what a caller asked for to package flyball.
func label(ctx context.Context, ask gateway.Ask) context.Context {
	ctx = flyball.WithClient(ctx, ask.Client)
	if ask.HasClass {
		ctx = flyball.WithClass(ctx, ask.Class)
	}
	return flyball.WithMaxWait(ctx, ask.MaxWait)
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
		return nil, fmt.Errorf("read the certificate %s and its key %s: %w (both must be PEM files that belong together and that flyball may read)", f.tlsCert, f.tlsKey, err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
	}, nil
}

// resolves fails for a host that does not exist. Any other trouble may pass,
// and the gateway reports it call by call.
func resolves(ctx context.Context, upstream *url.URL) error {
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: upstream}); err != nil || proxy != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := net.DefaultResolver.LookupHost(ctx, upstream.Hostname())
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return fmt.Errorf("the host %s does not exist (check the account's name, and this machine's DNS)", upstream.Hostname())
	}
	return nil
}

// announce says where to point a client.
func (f *serveFlags) announce(s Streams, upstream *url.URL, addr net.Addr) {
	origin := "http://" + addr.String()
	if f.tlsCert != "" {
		origin = "https://" + addr.String()
	}
	if f.publicURL != "" {
		origin = strings.TrimSuffix(f.publicURL, "/")
	}
	fmt.Fprintf(s.Out, "flyball serves %s on %s\n", upstream, addr)
	fmt.Fprintf(s.Out, "base URL for your client: %s/api/v2\n", origin)
	if !isLoopback(addr) {
		fmt.Fprintf(s.Err, "flyball: %s can be reached from other machines, and whoever reaches it can call the account with a credential of its own\n", addr)
	}
}

func planNames() string {
	var names []string
	for _, p := range zendesk.Plans() {
		names = append(names, p.String())
	}
	return wrapped(names, 60)
}
