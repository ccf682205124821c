package config_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/config"
	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/gateway/links"
	"github.com/flyballhq/flyball/limit"
)

// The defaults are those of the rooms: told nothing, each room does what it
// does by itself.
func TestTheDefaultsAreThoseOfTheRooms(t *testing.T) {
	c := load(t, config.Source{Account: "acme"})
	got := c.Gateway()
	want := gateway.Options{
		Upstream: got.Upstream, MaxWait: gateway.DefaultMaxWait, GiveUp: 429, DrainTimeout: gateway.DefaultDrainTimeout,
		MaxHeaderBytes: gateway.DefaultMaxHeaderBytes, MaxBodyBytes: gateway.DefaultMaxBodyBytes,
		Stall: gateway.DefaultStall, UpstreamStall: gateway.DefaultUpstreamStall, MaxClients: gateway.DefaultMaxClients,
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{})); diff != "" || got.Upstream.String() != "https://acme.zendesk.com" {
		t.Errorf("Gateway of the defaults (-want +got):\n%s", diff)
	}
	wantTransport := flyball.Options{
		Account: "https://acme.zendesk.com", Window: time.Minute, MaxWaiting: 10_000, Retries: 2, BodyMemory: 1 << 20,
	}
	if diff := cmp.Diff(wantTransport, c.Transport()); diff != "" {
		t.Errorf("Transport of the defaults (-want +got):\n%s", diff)
	}
}

func TestEachRoomGetsItsOptions(t *testing.T) {
	c := load(t, config.Source{File: "testdata/good/rooms.yaml"})
	g := c.Gateway()
	if g.PublicURL.String() != "https://zendesk.example.com" || g.Upstream.String() != "http://127.0.0.1:4292" {
		t.Errorf("Gateway: PublicURL %v, Upstream %v", g.PublicURL, g.Upstream)
	}
	g.PublicURL, g.Upstream = nil, nil
	want := gateway.Options{
		MaxWait: -1, GiveUp: 503, DrainTimeout: time.Second, RewriteLinks: links.Off,
		AllowedHosts: []string{"zendesk.example.com", "zd:8443"},
		TrustedPeers: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")},

		MaxHeaderBytes: 1 << 10, MaxBodyBytes: 2 << 10, Stall: 4 * time.Second, UpstreamStall: 5 * time.Second, MaxClients: 7,
	}
	if diff := cmp.Diff(want, g, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Errorf("Gateway (-want +got):\n%s", diff)
	}
	wantTransport := flyball.Options{
		Account: "http://127.0.0.1:4292", Plan: "enterprise-plus", Window: 10 * time.Second, MaxWaiting: 6, Retries: -1, BodyMemory: 3 << 10,
	}
	if diff := cmp.Diff(wantTransport, c.Transport()); diff != "" {
		t.Errorf("Transport (-want +got):\n%s", diff)
	}
	s := c.Settings()
	regulation := config.Regulation{AtMost: config.Rate{Calls: 20, Per: time.Second}, KeepFree: config.Amount{Share: 0.15}, Politeness: 0.5, Burst: 3}
	if diff := cmp.Diff(regulation, s.Regulation); diff != "" {
		t.Errorf("Regulation (-want +got):\n%s", diff)
	}
	policies := []config.Policy{
		{
			Name: "etl", HasClass: true, Class: limit.Bulk, Ceiling: limit.Normal, Weight: 2, MaxShare: 0.5,
			AtMost: config.Rate{Calls: 60, Per: time.Minute}, HasWait: true, MaxWait: 8 * time.Second,
		},
		{Name: "app", Ceiling: limit.Interactive, Weight: 1, MaxShare: 1},
	}
	if diff := cmp.Diff(policies, s.Policies); diff != "" {
		t.Errorf("Policies (-want +got):\n%s", diff)
	}
}

// A key that no room obeys yet is known, so that nobody passes it over.
func TestUnconnectedKeysAreListed(t *testing.T) {
	want := []string{"accounts[0].at_most", "accounts[0].keep_free", "accounts[0].politeness", "accounts[0].burst", "accounts[0].clients"}
	if diff := cmp.Diff(want, load(t, config.Source{File: "testdata/good/rooms.yaml"}).Unconnected()); diff != "" {
		t.Errorf("Unconnected (-want +got):\n%s", diff)
	}
	if got := load(t, config.Source{Account: "acme"}).Unconnected(); got != nil {
		t.Errorf("Unconnected of the defaults = %q, want none", got)
	}
}

// The gateway and the transport take what a good file says.
func TestTheRoomsTakeWhatTheyGet(t *testing.T) {
	c := load(t, config.Source{File: "testdata/good/whole.yaml", Env: func(string) string { return "" }})
	transport, err := flyball.New(c.Transport())
	if err != nil {
		t.Fatal(err)
	}
	defer transport.Close()
	o := c.Gateway()
	o.Transport = transport
	if _, err := gateway.New(o); err != nil {
		t.Error(err)
	}
}

func load(t *testing.T, src config.Source) *config.Config {
	t.Helper()
	c, err := config.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
