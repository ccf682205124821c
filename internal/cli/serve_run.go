package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/admin"
	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/config"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/observe"
	"github.com/flyballhq/flyball/usage"
)

// A service is what flyball serve runs: a gateway and its admin address, each
// with its listener.
type service struct {
	config    *config.Config
	upstream  *url.URL
	transport *flyball.Transport
	observer  *observe.Observer // nil when calls are governed
	out       io.Writer         // for people
	gateway   *gateway.Gateway
	admin     http.Handler
	witness   *witness
	usage     *usage.History
	events    *admin.Events
	kept      cache.Store // nil when nothing is kept
	log       *slog.Logger

	clients, admins net.Listener
}

func (f *serveFlags) run(cmd *cobra.Command, s Streams, account string) error {
	ctx := cmd.Context()
	live, err := f.open(cmd, s, account)
	if err != nil {
		return err
	}
	signals, forget := hangups(live)
	defer forget()
	svc, err := newService(s, live, f.observe)
	if err != nil {
		return err
	}
	defer svc.close()
	if err := resolves(ctx, svc.upstream); err != nil {
		return err
	}
	if err := svc.listen(ctx); err != nil {
		return err
	}
	followed, stop := context.WithCancel(context.WithoutCancel(ctx)) // also while it drains
	wait := follow(followed, live, signals, svc.witness.reopen(), svc.log)
	defer wait()
	defer stop()
	svc.announce(s)
	return svc.serve(ctx)
}

// newService puts the rooms together, before anything is listened on.
func newService(s Streams, live *config.Live, watching bool) (*service, error) {
	c := live.Config()
	admins, err := adminOptions(c)
	if err != nil {
		return nil, err
	}
	o := c.Gateway()
	if o.Log, err = newLogger(s, string(c.Log.Format)); err != nil {
		return nil, err
	}
	svc := &service{config: c, upstream: o.Upstream, log: o.Log, out: s.Out}
	if svc.witness, err = newWitness(s, c, svc.snapshot, o.Log); err != nil {
		return nil, err
	}
	t := c.Transport()
	svc.usage, err = usage.New(usage.Options{Snapshot: svc.snapshot, File: string(c.Admin.UsageFile), Account: o.Upstream.Host, Log: o.Log})
	if err != nil {
		return nil, err
	}
	svc.events = admin.NewEvents(svc.snapshot, svc.usage, version())
	t.Base, t.OnEvent = gateway.Base(o.Upstream), event.All(gateway.LogSink(o.Log), svc.witness.sink(), svc.usage.Take, svc.events.Take)
	governs := svc.govern
	if watching {
		governs = svc.watch
	}
	if err := governs(&o, t); err != nil {
		svc.closeStore()
		svc.witness.close()
		return nil, err
	}
	if err := live.Govern(svc.transport); err != nil {
		svc.close()
		return nil, wrong(err)
	}
	o.Transport, o.Decide, o.OnServed = svc.witness.export.Transport(o.Transport), live.Decide, svc.witness.served
	if svc.gateway, err = gateway.New(o); err != nil {
		svc.close()
		return nil, wrong(err)
	}
	admins.Snapshot, admins.Version = svc.snapshot, version()
	svc.witness.start(svc.snapshot)
	admins.Metrics = svc.witness.metrics
	admins.Usage, admins.Events = svc.usage, svc.events
	if svc.observer != nil {
		admins.Observe = svc.observer.Report
	}
	admins.Ready = func() bool { return !svc.gateway.Draining() }
	svc.admin, err = admin.New(admins)
	return svc, err
}

// govern makes the transport that holds calls back.
func (svc *service) govern(o *gateway.Options, t flyball.Options) (err error) {
	if svc.kept, err = svc.config.OpenStore(); err != nil {
		return err
	}
	t.Cache.Store = svc.kept
	if svc.transport, err = flyball.New(t); err != nil {
		return wrong(err)
	}
	o.Transport = svc.transport
	return nil
}

// snapshot is the account's buckets now.
func (svc *service) snapshot() limit.Snapshot {
	if svc.observer != nil {
		return svc.observer.Snapshot()
	}
	return svc.transport.Snapshot()
}

// listen opens both listeners, or neither.
func (svc *service) listen(ctx context.Context) error {
	secure, err := loadTLS(svc.config.TLS)
	if err != nil {
		return err
	}
	if svc.clients, err = listen(ctx, "--listen", string(svc.config.Listen)); err != nil {
		return err
	}
	if svc.admins, err = listen(ctx, "--admin", string(svc.config.Admin.Listen)); err != nil {
		return err
	}
	if secure != nil {
		svc.clients = tls.NewListener(svc.clients, secure)
	}
	return nil
}

// serve serves until ctx ends and the gateway has drained. The admin address
// stays until then, so that it can say so.
func (svc *service) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(ctx, func() {
		if n := svc.gateway.InFlight(); n > 0 {
			svc.log.Info("calls under way may end; another signal cuts them", "calls", n, "within", svc.config.DrainTimeout.String())
		}
	})
	adminCtx, adminCancel := context.WithCancel(context.WithoutCancel(ctx))
	var seen sync.WaitGroup
	seen.Go(func() { svc.usage.Run(adminCtx) })
	seen.Go(func() { svc.events.Run(adminCtx) })
	if svc.observer != nil {
		seen.Go(func() { svc.tellObserved(adminCtx) })
	}
	adminEnded := make(chan error, 1)
	go func() {
		defer cancel() // without an admin address nobody sees what happens
		adminEnded <- admin.Serve(adminCtx, svc.admins, svc.admin)
	}()
	err := svc.gateway.Serve(ctx, svc.clients)
	adminCancel()
	seen.Wait()
	if svc.observer != nil {
		writeObserved(svc.out, svc.observer.Report())
	}
	return errors.Join(err, <-adminEnded)
}

// close frees what serve left, or never reached.
func (svc *service) close() {
	for _, l := range []net.Listener{svc.clients, svc.admins} {
		if l != nil {
			_ = l.Close() // closed already, after serve
		}
	}
	if svc.observer != nil {
		_ = svc.observer.Close() // it has nothing to say
		svc.observer.CloseIdleConnections()
	} else {
		svc.transport.Close()
		svc.transport.CloseIdleConnections()
	}
	svc.closeStore()
	svc.witness.close()
}

// closeStore writes what is kept, if anything is.
func (svc *service) closeStore() {
	if svc.kept != nil {
		if err := svc.kept.Close(); err != nil {
			svc.log.Warn("cache not closed", "error", err)
		}
	}
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
func (svc *service) announce(s Streams) {
	addr := svc.clients.Addr()
	origin := "http://" + reachable(addr)
	if svc.config.TLS.Cert != "" {
		origin = "https://" + reachable(addr)
	}
	if svc.config.AccessLog.File == "-" {
		s.Out, svc.out = s.Err, s.Err // the log has standard output to itself
	}
	fmt.Fprintf(s.Out, "flyball serves %s on %s\n", svc.upstream, origin)
	if public := string(svc.config.PublicURL); public != "" {
		origin = strings.TrimSuffix(public, "/")
	}
	fmt.Fprintf(s.Out, "  base URL for clients  %s/api/v2\n", origin)
	fmt.Fprintf(s.Out, "  dashboard             http://%s/\n", svc.admins.Addr())
	fmt.Fprintf(s.Out, "  every limit           http://%s/api/limits\n", svc.admins.Addr())
	fmt.Fprintf(s.Out, "  Prometheus metrics    http://%s/metrics\n", svc.admins.Addr())
	if svc.observer != nil {
		fmt.Fprintf(s.Out, "  governing would       http://%s/api/observe\n  have done             --observe: nothing is held, every call passes as it is\n", svc.admins.Addr())
	}
	wait := time.Duration(svc.config.MaxWait)
	if svc.observer == nil {
		fmt.Fprintf(s.Out, "  longest wait          %s, so set your clients' timeout above %s\n", short(wait), short(wait+10*time.Second))
	}
	if !isLoopback(addr) {
		svc.log.Warn("the gateway can be reached from other machines: whoever reaches it can call the account with a credential of its own", "address", addr.String())
	}
}

// reachable is addr as a client may write it: a listener on every interface
// has no address of its own.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	name, err := os.Hostname()
	if err != nil {
		return addr.String()
	}
	return net.JoinHostPort(name, strconv.Itoa(tcp.Port))
}
