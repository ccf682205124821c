package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/admin"
	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/zendesk"
)

// A service is what flyball serve runs: a gateway and its admin address, each
// with its listener.
type service struct {
	upstream  *url.URL
	transport *flyball.Transport
	gateway   *gateway.Gateway
	admin     http.Handler
	log       *slog.Logger

	clients, admins net.Listener
}

func (f *serveFlags) run(ctx context.Context, s Streams, account string) error {
	upstream, err := zendesk.Account(account)
	if err != nil {
		return wrong(err)
	}
	svc, err := f.build(s, upstream)
	if err != nil {
		return err
	}
	defer svc.close()
	if err := resolves(ctx, upstream); err != nil {
		return err
	}
	if err := f.listenBoth(ctx, svc); err != nil {
		return err
	}
	f.announce(s, svc)
	return svc.serve(ctx, f.drainTimeout)
}

// build puts the rooms together, before anything is listened on.
func (f *serveFlags) build(s Streams, upstream *url.URL) (*service, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	opts, err := f.gatewayOptions(s, upstream)
	if err != nil {
		return nil, err
	}
	token, err := f.adminToken(s)
	if err != nil {
		return nil, err
	}
	if err := admin.CheckAddress(f.admin, token); err != nil {
		return nil, wrongf("--admin: %w (a token comes from --admin-token-file or FLYBALL_ADMIN_TOKEN)", err)
	}
	svc := &service{upstream: upstream, log: opts.Log}
	svc.transport, err = flyball.New(flyball.Options{
		Account: upstream.String(), Plan: f.plan, Window: f.window,
		Base: gateway.Base(upstream), OnEvent: gateway.LogSink(opts.Log),
	})
	if err != nil {
		return nil, wrong(err)
	}
	opts.Transport = svc.transport
	if svc.gateway, err = gateway.New(opts); err != nil {
		svc.close()
		return nil, wrong(err)
	}
	svc.admin, err = admin.New(admin.Options{
		Snapshot: svc.transport.Snapshot, Token: token, Version: version(),
		Ready: func() bool { return !svc.gateway.Draining() },
	})
	return svc, err
}

// label hands what a caller asked for to package flyball.
func label(ctx context.Context, ask gateway.Ask) context.Context {
	ctx = flyball.WithClient(ctx, ask.Client)
	if ask.HasClass {
		ctx = flyball.WithClass(ctx, ask.Class)
	}
	return flyball.WithMaxWait(ctx, ask.MaxWait)
}

// listenBoth opens both listeners, or neither.
func (f *serveFlags) listenBoth(ctx context.Context, svc *service) error {
	config, err := f.tls()
	if err != nil {
		return err
	}
	if svc.clients, err = listen(ctx, "--listen", f.listen); err != nil {
		return err
	}
	if svc.admins, err = listen(ctx, "--admin", f.admin); err != nil {
		return err
	}
	if config != nil {
		svc.clients = tls.NewListener(svc.clients, config)
	}
	return nil
}

// serve serves until ctx ends and the gateway has drained. The admin address
// stays until then, so that it can say so.
func (svc *service) serve(ctx context.Context, drain time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(ctx, func() {
		if n := svc.gateway.InFlight(); n > 0 {
			svc.log.Info("calls under way may end; another signal cuts them", "calls", n, "within", drain.String())
		}
	})
	adminCtx, adminCancel := context.WithCancel(context.WithoutCancel(ctx))
	adminEnded := make(chan error, 1)
	go func() {
		defer cancel() // without an admin address nobody sees what happens
		adminEnded <- admin.Serve(adminCtx, svc.admins, svc.admin)
	}()
	err := svc.gateway.Serve(ctx, svc.clients)
	adminCancel()
	return errors.Join(err, <-adminEnded)
}

// close frees what serve left, or never reached.
func (svc *service) close() {
	for _, l := range []net.Listener{svc.clients, svc.admins} {
		if l != nil {
			_ = l.Close() // closed already, after serve
		}
	}
	svc.transport.Close()
	svc.transport.CloseIdleConnections()
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
func (f *serveFlags) announce(s Streams, svc *service) {
	addr := svc.clients.Addr()
	origin := "http://" + reachable(addr)
	if f.tlsCert != "" {
		origin = "https://" + reachable(addr)
	}
	fmt.Fprintf(s.Out, "flyball serves %s on %s\n", svc.upstream, origin)
	if f.publicURL != "" {
		origin = strings.TrimSuffix(f.publicURL, "/")
	}
	fmt.Fprintf(s.Out, "  base URL for clients  %s/api/v2\n", origin)
	fmt.Fprintf(s.Out, "  every limit           http://%s/api/limits\n", svc.admins.Addr())
	fmt.Fprintf(s.Out, "  longest wait          %s, so set your clients' timeout above %s\n", short(f.maxWait), short(f.maxWait+10*time.Second))
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
