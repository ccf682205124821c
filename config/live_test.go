package config_test

import (
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/config"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
)

const before, after = `max_wait: 1s
accounts:
  - name: acme
    clients: [{name: etl, class: bulk, max_wait: 1s}]
`, `max_wait: 2s
listen: 127.0.0.1:9999
accounts:
  - name: acme
    clients: [{name: etl, class: interactive, max_wait: 2s}, {name: app}]
`

func open(t *testing.T, file string) *config.Live {
	t.Helper()
	l, err := config.Open(config.Source{File: file})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func overwrite(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReloadSaysWhatHoldsNowAndWhatWaitsForARestart(t *testing.T) {
	file := write(t, before)
	l := open(t, file)
	overwrite(t, file, after)
	change, err := l.Reload()
	if err != nil {
		t.Fatal(err)
	}
	wantLive := []string{"accounts[0].clients[0].class", "accounts[0].clients[0].max_wait", "accounts[0].clients[1].ceiling"}
	for _, key := range wantLive {
		if !slices.Contains(change.Live, key) {
			t.Errorf("in force now: %q, want %s among them", change.Live, key)
		}
	}
	if !slices.Equal(change.Restart, []string{"listen"}) {
		t.Errorf("after a restart: %q, want listen alone", change.Restart)
	}
	// Once it is as at the start, nothing waits any more.
	overwrite(t, file, before)
	if change, err = l.Reload(); err != nil || len(change.Restart) != 0 || len(change.Live) == 0 {
		t.Errorf("Reload = %+v, %v; want changes that are in force, none that wait", change, err)
	}
	if change, err = l.Reload(); err != nil || change.String() != "nothing changed" {
		t.Errorf("Reload = %q, %v; want nothing changed", change, err)
	}
}

// A regulation and the quotas are in force at once, a client's quota wherever
// in the list its client stands.
func TestReloadRegulatesTheTransport(t *testing.T) {
	for name, tt := range map[string]struct {
		account string
		live    []string       // said to be in force now
		limits  map[string]int // the bounds of ours that hold then, after a call of each client
	}{
		"regulation":               {"at_most: 100/min, keep_free: 10%, politeness: 0, burst: 3, clients: [" + etl + "]", []string{"accounts[0].at_most", "accounts[0].burst", "accounts[0].keep_free", "accounts[0].politeness"}, map[string]int{"at most": 100, "client etl": 60}},
		"another quota":            {"clients: [{name: etl, at_most: 2/s, max_share: 50%}]", []string{"at_most and max_share of etl"}, map[string]int{"client etl": 120, "support/client etl": 350}},
		"the same, later":          {"clients: [{name: app, weight: 2}, " + etl + "]", nil, map[string]int{"client etl": 60}},
		"the same, in other words": {"clients: [{name: etl, at_most: 1/s}]", nil, map[string]int{"client etl": 60}},
		"a new client's":           {"clients: [" + etl + ", {name: app, at_most: 10/min}]", []string{"at_most and max_share of app"}, map[string]int{"client app": 10, "client etl": 60}},
		"under another name":       {"clients: [{name: app, at_most: 60/min}]", []string{"at_most and max_share of app", "at_most and max_share of etl"}, map[string]int{"client app": 60}},
		"none any more":            {"clients: [{name: etl}]", []string{"at_most and max_share of etl"}, map[string]int{}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				file := write(t, "accounts: [{name: acme, clients: ["+etl+"]}]\n")
				l := open(t, file)
				limits := governed(t, l)
				if got := limits(); !maps.Equal(got, map[string]int{"client etl": 60}) {
					t.Fatalf("the bounds are %v before, want etl's 60", got)
				}
				overwrite(t, file, "accounts: [{name: acme, "+tt.account+"}]\n")
				change, err := l.Reload()
				if err != nil || len(change.Restart) != 0 {
					t.Errorf("Reload = %v, %v; want nothing that waits for a restart", change, err)
				}
				said := slices.DeleteFunc(change.Live, func(key string) bool { return strings.Contains(key, "].clients[") })
				if !slices.Equal(said, tt.live) {
					t.Errorf("Reload says %q, want %q", said, tt.live)
				}
				if got := limits(); !maps.Equal(got, tt.limits) {
					t.Errorf("the bounds are %v, want %v", got, tt.limits)
				}
				overwrite(t, file, "at_most: 1/min\n")
				if _, err := l.Reload(); err == nil {
					t.Error("a wrong file is no error")
				}
				if got := limits(); !maps.Equal(got, tt.limits) {
					t.Errorf("the bounds are %v after a wrong file, want %v", got, tt.limits)
				}
			})
		})
	}
}

const etl = "{name: etl, at_most: 60/min}"

// governed makes a transport that follows l. It returns what tells the bounds
// of ours that hold for a call of each client.
func governed(t *testing.T, l *config.Live) (limits func() map[string]int) {
	t.Helper()
	o := l.Config().Transport()
	o.Base = simulator.New(simulator.Options{Origin: "https://acme.zendesk.com"}).RoundTripper()
	transport, err := flyball.New(o)
	must(t, err)
	t.Cleanup(func() { transport.Close() })
	must(t, l.Govern(transport))
	return func() map[string]int {
		for _, client := range []string{"etl", "app"} {
			req, err := http.NewRequestWithContext(flyball.WithClient(t.Context(), client), http.MethodGet, "https://acme.zendesk.com/api/v2/tickets/1.json", nil)
			must(t, err)
			req.Header.Set("Authorization", "Bearer any")
			resp, err := transport.RoundTrip(req)
			must(t, err)
			resp.Body.Close()
		}
		all := map[string]int{}
		for _, b := range transport.Snapshot().Buckets {
			if b.Source == limit.Configured {
				all[strings.TrimPrefix(b.Key.String(), "flyball/")] = b.Limit
			}
		}
		return all
	}
}

func TestAWrongFileLeavesTheOldConfigurationInForce(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(t *testing.T, file string)
		want   string
	}{
		"a mistake":       {func(t *testing.T, f string) { overwrite(t, f, "max_wiat: 2s\n") }, "max_wiat: there is no such key; did you mean max_wait?"},
		"half written":    {func(t *testing.T, f string) { overwrite(t, f, "") }, "the file says nothing"},
		"another account": {func(t *testing.T, f string) { overwrite(t, f, "accounts: [{name: beta}]\n") }, "now names https://beta.zendesk.com, and this gateway serves https://acme.zendesk.com (restart it to serve the other)"},
		"no account":      {func(t *testing.T, f string) { overwrite(t, f, "max_wait: 2s\n") }, "no account is named"},
		"gone":            {func(t *testing.T, f string) { must(t, os.Remove(f)) }, "no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			file := write(t, before)
			l := open(t, file)
			settings := l.Settings()
			tt.change(t, file)
			if _, err := l.Reload(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Reload = %v, want %q", err, tt.want)
			}
			if l.Settings() != settings || l.Config().MaxWait != config.Duration(time.Second) {
				t.Error("the old configuration is not in force any more")
			}
		})
	}
}

// Every call meets one configuration whole: the old or the new one, never
// nothing and never a part of each.
func TestAReloadUnderLoadDropsNoCall(t *testing.T) {
	file := write(t, before)
	l := open(t, file)
	done := make(chan struct{})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			r := request(t, "GET /api/v2/tickets", "", "Flyball-Client", "etl")
			for calls := 0; ; calls++ {
				select {
				case <-done:
					if calls > 0 {
						return
					}
				default:
				}
				d := l.Settings().Decide(r)
				old := d.Class == limit.Bulk && d.MaxWait == time.Second
				if now := d.Class == limit.Interactive && d.MaxWait == 2*time.Second; d.Client != "etl" || old == now {
					t.Errorf("Decide = %+v, want all of one configuration", d)
					return
				}
			}
		})
	}
	for i := range 30 {
		overwrite(t, file, []string{after, before, "max_wiat: 2s\n"}[i%3])
		if _, err := l.Reload(); (err != nil) != (i%3 == 2) {
			t.Errorf("Reload %d: %v", i, err)
		}
	}
	close(done)
	callers.Wait()
}

func TestWatchFollowsTheFileHoweverItIsReplaced(t *testing.T) {
	for name, replace := range map[string]func(t *testing.T, file, text string){
		"written over": overwrite,
		"renamed over": func(t *testing.T, file, text string) {
			overwrite(t, file+".new", text)
			must(t, os.Rename(file+".new", file))
		},
		"moved away and written anew": func(t *testing.T, file, text string) {
			must(t, os.Rename(file, file+"~"))
			overwrite(t, file, text)
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := write(t, before)
			l := open(t, file)
			changes := watch(t, l)
			for _, text := range []string{after, before, after} {
				replace(t, file, text)
				changes.want(t, l, text)
			}
		})
	}
}

// Kubernetes puts a ConfigMap's files into a folder of their own and turns a
// link from the old folder to the new one; the file itself is a link through
// that.
func TestWatchFollowsAKubernetesVolume(t *testing.T) {
	volume := t.TempDir()
	publish := func(version, text string) {
		folder := filepath.Join(volume, "..2026_"+version)
		must(t, os.Mkdir(folder, 0o700))
		overwrite(t, filepath.Join(folder, "flyball.yaml"), text)
		must(t, os.Symlink(filepath.Base(folder), filepath.Join(volume, "..data_tmp")))
		must(t, os.Rename(filepath.Join(volume, "..data_tmp"), filepath.Join(volume, "..data")))
	}
	publish("1", before)
	file := filepath.Join(volume, "flyball.yaml")
	must(t, os.Symlink(filepath.Join("..data", "flyball.yaml"), file))
	l := open(t, file)
	changes := watch(t, l)
	publish("2", after)
	changes.want(t, l, after)
	must(t, os.RemoveAll(filepath.Join(volume, "..2026_1")))
	publish("3", before)
	changes.want(t, l, before)
}

func TestWatchFollowsALinkIntoAnotherFolder(t *testing.T) {
	target := write(t, before)
	file := filepath.Join(t.TempDir(), "flyball.yaml")
	must(t, os.Symlink(target, file))
	l := open(t, file)
	changes := watch(t, l)
	overwrite(t, target, after)
	changes.want(t, l, after)
}

func TestWatchTellsWhyAFileIsRefusedAndGoesOn(t *testing.T) {
	file := write(t, before)
	l := open(t, file)
	changes := watch(t, l)
	overwrite(t, file, "max_wait: 8\n")
	var mistakes config.Mistakes
	if err := changes.nextError(t); !errors.As(err, &mistakes) || l.Config().MaxWait != config.Duration(time.Second) {
		t.Errorf("told %v, max_wait is %v; want the mistake, and 1s", err, l.Config().MaxWait)
	}
	overwrite(t, file, after)
	changes.want(t, l, after)
	must(t, os.Remove(file))
	if err := changes.nextError(t); !strings.Contains(err.Error(), "no such file") {
		t.Errorf("told %v, want that there is no such file", err)
	}
	overwrite(t, file, before)
	changes.want(t, l, before)
}

// What is written between Open and Watch is not missed.
func TestWatchSeesWhatChangedBeforeIt(t *testing.T) {
	file := write(t, before)
	l := open(t, file)
	overwrite(t, file, after)
	watch(t, l).want(t, l, after)
}

func TestWatchWaitsForAFileThatIsMissing(t *testing.T) {
	file := write(t, before)
	l := open(t, file)
	must(t, os.Remove(file))
	changes := watch(t, l)
	if err := changes.nextError(t); !strings.Contains(err.Error(), "no such file") {
		t.Errorf("told %v, want that there is no such file", err)
	}
	overwrite(t, file, after)
	changes.want(t, l, after)
}

func TestWatchNeedsAFile(t *testing.T) {
	l, err := config.Open(config.Source{Account: "acme"})
	must(t, err)
	if err := l.Watch(t.Context(), nil); err == nil {
		t.Error("Watch without a file = nil")
	}
	if _, err := l.Reload(); err == nil {
		t.Error("Reload without a file = nil")
	}
}

type told struct {
	change config.Change
	err    error
}

type tellings chan told

// watch watches until the test ends.
func watch(t *testing.T, l *config.Live) tellings {
	t.Helper()
	changes := make(tellings, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- l.Watch(t.Context(), func(c config.Change, err error) { changes <- told{c, err} })
	}()
	t.Cleanup(func() { // the test's context is done by now
		if err := <-ended; err != nil {
			t.Errorf("Watch: %v", err)
		}
	})
	return changes
}

func (c tellings) next(t *testing.T) told {
	t.Helper()
	select {
	case got := <-c:
		return got
	case <-time.After(20 * time.Second):
		t.Fatal("Watch told of no change in 20s")
		return told{}
	}
}

func (c tellings) nextError(t *testing.T) error {
	t.Helper()
	for {
		if got := c.next(t); got.err != nil {
			return got.err
		}
	}
}

// want waits until a text is in force. A file may be seen half written on the
// way there, which is told of and does no harm.
func (c tellings) want(t *testing.T, l *config.Live, text string) {
	t.Helper()
	wait := map[string]config.Duration{before: config.Duration(time.Second), after: config.Duration(2 * time.Second)}[text]
	for l.Config().MaxWait != wait {
		c.next(t)
	}
	if l.Settings() == nil {
		t.Error("no settings are in force")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
