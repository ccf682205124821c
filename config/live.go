package config

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/gateway"
)

// A Live is the configuration in force. Reading it costs one atomic load; a
// reload puts new [Settings] in their place, and calls under way keep those
// that they began with, so that nothing is dropped. Its methods may be called
// at once.
type Live struct {
	source   Source
	started  *Config // what the process was built from
	config   atomic.Pointer[Config]
	settings atomic.Pointer[Settings]
	reads    atomic.Uint64

	mu       sync.Mutex
	text     []byte // the bytes last judged, good or bad
	adopted  uint64 // the number of the read in force
	governed *flyball.Transport
}

// Open loads a configuration that names the account to serve.
func Open(src Source) (*Live, error) {
	text, err := src.read()
	if err != nil {
		return nil, err
	}
	c, err := src.parse(text)
	if err != nil {
		return nil, err
	}
	if _, err := c.Served(); err != nil {
		return nil, err
	}
	l := &Live{source: src, started: c, text: text}
	l.config.Store(c)
	l.settings.Store(c.Settings())
	return l, nil
}

// File returns the path of the file that is read again, "" for none.
func (l *Live) File() string { return l.source.File }

// Config returns the configuration in force. What [Change].Restart named in it
// is not.
func (l *Live) Config() *Config { return l.config.Load() }

// Settings returns what holds for a call that begins now.
func (l *Live) Settings() *Settings { return l.settings.Load() }

// Decide says what holds for a call that begins now; a gateway's Options take
// it. A call that the file does not know is a stranger's: Client is "".
func (l *Live) Decide(r *http.Request) gateway.Decision { return l.Settings().Decide(r) }

// Govern puts the account's regulation and its clients' quotas in force in t,
// now and with every reload from now on. It is for one transport, the one that
// was made with the configuration's options.
func (l *Live) Govern(t *flyball.Transport) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.governed = t
	return l.regulate(l.config.Load())
}

// regulate puts in force in the transport what is the transport's. The caller
// holds the lock, so that of two reloads the later one wins there too.
func (l *Live) regulate(c *Config) error {
	if l.governed == nil {
		return nil
	}
	o := c.Transport()
	return l.governed.Regulate(o.Regulation, o.Quotas)
}

// A Change is what a reload made of the configuration.
type Change struct {
	Live    []string // keys that are in force now
	Restart []string // keys that differ from what the process was started with and wait for a restart
}

// String is a line for a log.
func (c Change) String() string {
	var parts []string
	if len(c.Live) > 0 {
		parts = append(parts, "now in force: "+strings.Join(c.Live, ", "))
	}
	if len(c.Restart) > 0 {
		parts = append(parts, "in force after a restart: "+strings.Join(c.Restart, ", "))
	}
	if len(parts) == 0 {
		return "nothing changed"
	}
	return strings.Join(parts, "; ")
}

// Reload reads the file again; a command calls it on SIGHUP. On an error, and
// [Mistakes] is one, everything stays as it was.
func (l *Live) Reload() (Change, error) {
	if l.source.File == "" {
		return Change{}, errors.New("there is no configuration file to read again (start with --config FILE)")
	}
	read := l.reads.Add(1)
	text, err := l.source.read()
	if err != nil {
		return Change{}, err
	}
	return l.judge(read, text)
}

// judge puts a file's bytes in force, unless they are wrong or a later read
// has been put in force meanwhile.
func (l *Live) judge(read uint64, text []byte) (Change, error) {
	next, err := l.source.parse(text)
	if err == nil {
		err = l.sameAccount(next)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if read < l.adopted {
		return Change{}, nil
	}
	l.adopted, l.text = read, text
	if err == nil {
		err = l.regulate(next)
	}
	if err != nil {
		return Change{}, err
	}
	change := changed(l.started, l.config.Load(), next)
	l.config.Store(next)
	l.settings.Store(next.Settings())
	return change, nil
}

// sameAccount refuses a file that would have the gateway serve another
// account: what is learned, and who connects, belong to this one.
func (l *Live) sameAccount(next *Config) error {
	to, err := next.Served()
	if err != nil {
		return err
	}
	now := l.started.Account().URL().String()
	if to.URL().String() != now {
		return fmt.Errorf("%s now names %s, and this gateway serves %s (restart it to serve the other)", l.source.File, to.URL(), now)
	}
	return nil
}

// seen reports whether text has been judged already.
func (l *Live) seen(text []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Equal(text, l.text)
}

// changed compares the next configuration with the one in force, and with the
// one the process was built from where that decides.
func changed(started, current, next *Config) Change {
	var change Change
	live := map[string]bool{}
	for _, k := range Keys() {
		live[k.Path] = k.Live
	}
	was, had, have := started.served(), current.served(), next.served()
	for _, path := range union(was, had, have) {
		switch key := emptied(path); {
		case key == "accounts[].clients[].at_most", key == "accounts[].clients[].max_share":
			// They are kept by the client's name: see below.
		case live[key] && !reflect.DeepEqual(had[path], have[path]):
			change.Live = append(change.Live, path)
		case !live[key] && !reflect.DeepEqual(was[path], have[path]):
			change.Restart = append(change.Restart, path)
		}
	}
	for _, name := range differing(current.Account().quotas(), next.Account().quotas()) {
		change.Live = append(change.Live, "at_most and max_share of "+name)
	}
	return change
}

// differing returns the clients whose quotas differ, in order.
func differing(was, have map[string]flyball.Quota) []string {
	var names []string
	for name, q := range was {
		if have[name] != q {
			names = append(names, name)
		}
	}
	for name := range have {
		if _, ok := was[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// served returns the values that matter to the served account, by path; the
// account's own as if it were the only one.
func (c *Config) served() map[string]any {
	values := map[string]any{}
	mine := at("accounts", c.chosen) + "."
	for _, s := range c.settings() {
		rest, ok := strings.CutPrefix(s.path, mine)
		switch {
		case ok:
			values["accounts[0]."+rest] = s.value.Interface()
		case !strings.HasPrefix(s.path, "accounts["):
			values[s.path] = s.value.Interface()
		}
	}
	return values
}

func union(all ...map[string]any) []string {
	var paths []string
	for _, m := range all {
		for path := range m {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// emptied makes accounts[].clients[] of accounts[0].clients[12].
func emptied(path string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(path, "]") {
		before, _, ok := strings.Cut(part, "[")
		b.WriteString(before)
		if ok {
			b.WriteString("[]")
		}
	}
	return b.String()
}
