package cli

import (
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/zendesk"
)

// serveFlags are the flags of flyball serve as they were written.
type serveFlags struct {
	config       string
	listen       string
	admin        string
	tokenFile    string
	usageFile    string
	plan         string
	window       time.Duration
	maxWait      time.Duration
	giveUp       int
	publicURL    string
	allowHosts   []string
	trustPeers   []string
	origins      []string
	rewriteLinks string
	tlsCert      string
	tlsKey       string
	drainTimeout time.Duration
	logFormat    string
	observe      bool
	accessLog    string
	accessSample string
}

func newServe(s Streams) *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve [ACCOUNT] [flags]",
		Short: "Run the gateway: your clients' base URL for one account",
		Long: `Run a gateway in front of one Zendesk account. Clients change their base URL and
nothing else. Each call goes out as soon as the account's limits allow; links to
the next page lead back to the gateway.

ACCOUNT is acme, acme.zendesk.com or a URL. Without it the account is the one in
the --config file, or FLYBALL_ACCOUNT. The callers' own credentials are passed
on and none is stored. Set your clients' timeout above 60 s, or start with
--max-wait 8s.

The --config file says who calls, what goes first and how much of the account
may be used; docs/guide/configuration.md lists its keys. The environment
(FLYBALL_MAX_WAIT for max_wait) goes over it, flags go over both. It is read
again when it changes, and on SIGHUP, which opens the access log anew as well.

The admin address shows every limit (flyball limits, GET /api/limits) and
answers /healthz and /readyz. It asks for a token if there is one, and must have
one to be reached from other machines.

Ctrl-C or SIGTERM lets the calls under way end (--drain-timeout); a second one
ends the process at once.`,
		Example: `  flyball serve acme
  flyball serve acme --plan enterprise --max-wait 8s
  flyball serve --config flyball.yaml
  flyball serve acme --observe             watch only, and report
  flyball serve http://127.0.0.1:4292      in front of flyball sim`,
		Args: atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, s, first(args))
		},
		Annotations: exits("told to end, and every call was answered", "cannot listen, no such host, mistakes in the configuration, or calls were cut at the end", "wrong call"),
	}
	f.register(cmd)
	return cmd
}

func (f *serveFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "`FILE`: YAML, what is configured; it is read again when it changes (default $FLYBALL_CONFIG, else none)")
	flags.StringVar(&f.listen, "listen", "127.0.0.1:4290", "`HOST:PORT`: where clients call; port 0 takes any free one")
	flags.StringVar(&f.admin, "admin", "127.0.0.1:4291", "`HOST:PORT`: the admin address")
	flags.StringVar(&f.tokenFile, "admin-token-file", "", "`FILE`: the admin address's token (default $FLYBALL_ADMIN_TOKEN, else none)")
	flags.StringVar(&f.usageFile, "usage-file", "", "`FILE`: where the history of use is kept over a restart (default none: in memory only)")
	flags.StringVar(&f.plan, "plan", "", "`PLAN`: the account's plan, a first guess until its answers state the limit:\n"+planNames()+" (default unknown: 200 a minute)")
	flags.DurationVar(&f.window, "window", time.Minute, "`D`: span of the account's limit, for a simulator whose minute is shorter")
	flags.DurationVar(&f.maxWait, "max-wait", gateway.DefaultMaxWait, "`D`: longest a call may take in holds and retries together; 0s never waits")
	flags.IntVar(&f.giveUp, "give-up", http.StatusTooManyRequests, "`STATUS`: what says too many requests: 429, 503 or 504")
	flags.StringVar(&f.publicURL, "public-url", "", "`URL`: the gateway as clients know it, for links (default the Host they ask for)")
	flags.StringSliceVar(&f.allowHosts, "allow-host", nil, "`NAME`: another name, with or without a port, under which clients know the gateway;\nmay be repeated (default loopback and the address called)")
	flags.StringSliceVar(&f.trustPeers, "trust-peer", nil, "`ADDRESS`: of a proxy, or a network of proxies, whose X-Forwarded-Host and -Proto\nare believed; may be repeated (default none)")
	flags.StringSliceVar(&f.origins, "allow-origin", nil, "`ORIGIN`: a web origin, such as https://app.example.com, whose pages may call with\nan OAuth token; may be repeated (default none)")
	flags.StringVar(&f.rewriteLinks, "rewrite-links", "navigation", "`WHICH`: links in answers that lead back to the gateway: navigation, all or off")
	flags.StringVar(&f.tlsCert, "tls-cert", "", "`FILE`: PEM, the certificate to serve HTTPS with (default none: plain HTTP)")
	flags.StringVar(&f.tlsKey, "tls-key", "", "`FILE`: PEM, its private key (default none)")
	flags.DurationVar(&f.drainTimeout, "drain-timeout", gateway.DefaultDrainTimeout, "`D`: how long calls may take to end on SIGTERM")
	flags.BoolVar(&f.observe, "observe", false, "hold, merge and answer nothing: pass every call as it is, and report what governing\nwould have done (/api/observe, the log, and a summary at the end)")
	flags.StringVar(&f.logFormat, "log-format", "", "`FORMAT`: of the log lines on standard error, text or json (default text on a terminal, else json)")
	flags.StringVar(&f.accessLog, "access-log", "", "`FILE`: a line of JSON for each call, which flyball audit reads; - is standard output\n(default none)")
	flags.StringVar(&f.accessSample, "access-log-sample", "100%", "`SHARE`: of the calls without trouble that the access log gets, such as 10%")
}

func planNames() string {
	var names []string
	for _, p := range zendesk.Plans() {
		names = append(names, p.String())
	}
	return wrapped(names, 60)
}

// first returns the first argument, "" for none.
func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
