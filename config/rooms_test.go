package config_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/cache"
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
		Regulation: flyball.Regulation{Politeness: 1, Burst: 2},
		Batch:      flyball.Batch{ReadWindow: 5 * time.Millisecond, WriteWindow: 20 * time.Millisecond},
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
		Origins:      []string{"https://app.example.com", "http://localhost:5173"},

		MaxHeaderBytes: 1 << 10, MaxBodyBytes: 2 << 10, Stall: 4 * time.Second, UpstreamStall: 5 * time.Second, MaxClients: 7,
	}
	if diff := cmp.Diff(want, g, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Errorf("Gateway (-want +got):\n%s", diff)
	}
	wantTransport := flyball.Options{
		Account: "http://127.0.0.1:4292", Plan: "enterprise-plus", Window: 10 * time.Second, MaxWaiting: 6, Retries: -1, BodyMemory: 3 << 10,
		Regulation: flyball.Regulation{AtMost: 1200, KeepFreeShare: 0.15, Politeness: 0.5, Burst: 3},
		Quotas:     map[string]flyball.Quota{"etl": {AtMost: 60, MaxShare: 0.5}}, // app has no bound
		Batch:      flyball.Batch{ReadWindow: -1, WriteWindow: 30 * time.Millisecond},
		Cache: cache.Options{Static: true, NoCoalescing: true, Rules: []cache.Rule{
			{Route: "GET /api/v2/tickets/{id}", Fresh: 30 * time.Second, StaleWhileLimited: 10 * time.Minute, NotFound: 5 * time.Second},
		}},
	}
	if diff := cmp.Diff(wantTransport, c.Transport()); diff != "" {
		t.Errorf("Transport (-want +got):\n%s", diff)
	}
	s := c.Settings()
	policies := []config.Policy{
		{
			Name: "etl", HasClass: true, Class: limit.Bulk, Ceiling: limit.Normal, Weight: 2, HasWait: true, MaxWait: 8 * time.Second,
		},
		{Name: "app", Ceiling: limit.Interactive, Weight: 1, Batch: true},
	}
	if diff := cmp.Diff(policies, s.Policies); diff != "" {
		t.Errorf("Policies (-want +got):\n%s", diff)
	}
}

// What the transport takes for "by default" is not what a file says with 0.
func TestNoPolitenessIsNoneAndCallsKeptFreeAreCalls(t *testing.T) {
	c := load(t, config.Source{File: write(t, "accounts: [{name: acme, politeness: 0, keep_free: 100, clients: [{name: a, max_share: 100%}]}]\n")})
	want := flyball.Regulation{KeepFree: 100, Politeness: -1, Burst: 2}
	if got := c.Transport(); got.Regulation != want || got.Quotas != nil {
		t.Errorf("Transport: %+v, %v; want %+v and no quota", got.Regulation, got.Quotas, want)
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

// A store's file stands beside the configuration, wherever the gateway starts.
func TestTheStoreIsTheOneConfigured(t *testing.T) {
	for _, tt := range []struct{ name, cache, file string }{
		{"nothing is kept", "{size: 2MiB}", ""},
		{"in memory", "{static: on}", ""},
		{"in a file", "{static: on, file: kept.db}", "kept.db"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := write(t, "accounts: [{name: acme, cache: "+tt.cache+"}]")
			store, err := load(t, config.Source{File: file}).OpenStore()
			if err != nil {
				t.Fatal(err)
			}
			if (store == nil) != (tt.name == "nothing is kept") {
				t.Fatalf("the store is %v", store)
			}
			if store != nil {
				must(t, store.Close())
			}
			if tt.file == "" {
				return
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), tt.file)); err != nil {
				t.Error(err)
			}
		})
	}
}
