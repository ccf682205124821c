package config

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/cache/disk"
	"github.com/flyballhq/flyball/cache/memory"
	"github.com/flyballhq/flyball/zendesk"
)

// A Switch is on or off.
type Switch bool

// UnmarshalText reads a switch.
func (s *Switch) UnmarshalText(text []byte) error {
	switch strings.ToLower(string(text)) {
	case "on", "yes", "true":
		*s = true
	case "off", "no", "false":
		*s = false
	default:
		return fmt.Errorf("%s is neither on nor off", quote(text))
	}
	return nil
}

func (s Switch) String() string {
	if s {
		return "on"
	}
	return "off"
}

// A Kind is one kind of GET with its ids left out: GET /api/v2/tickets/{id}.
type Kind string

// UnmarshalText reads a kind of call; GET may be left out.
func (k *Kind) UnmarshalText(text []byte) error {
	route := string(text)
	if strings.HasPrefix(route, "/") {
		route = "GET " + route
	}
	if cache.CheckRoute(zendesk.New(zendesk.UnknownPlan), route) == nil {
		*k = Kind(route)
		return nil
	}
	if kind := meant(route); kind != "" {
		return fmt.Errorf("%s is not one kind of GET (write %s)", quote(text), kind)
	}
	return fmt.Errorf("%s is not one kind of GET that flyball tells apart (write GET /api/v2/tickets/{id}, with ids left out)", quote(text))
}

// meant is the kind of call that a path with ids, an ending or a query is of;
// "" when it is none that is told apart.
func meant(route string) string {
	method, path, _ := strings.Cut(route, " ")
	u, err := url.Parse(path)
	if method != http.MethodGet || err != nil || !strings.HasPrefix(u.Path, "/") {
		return ""
	}
	class := zendesk.New(zendesk.UnknownPlan).Route(&http.Request{Method: method, URL: u}).Class
	if strings.Contains(class, "{other}") || class == route {
		return ""
	}
	return class
}

func (k Kind) String() string { return string(k) }

// options is what is kept, in the layer's terms, without its store.
func (c *Cache) options() cache.Options {
	o := cache.Options{Static: bool(c.Static), NoCoalescing: !bool(c.Coalesce)}
	for _, r := range c.Routes {
		o.Rules = append(o.Rules, cache.Rule{
			Route: string(r.Match), Fresh: time.Duration(r.Fresh),
			StaleWhileLimited: time.Duration(r.StaleWhileLimited), NotFound: time.Duration(r.NotFound),
		})
	}
	return o
}

// OpenStore opens the store that the served account's answers are kept in; nil
// when none are kept. The caller closes it, after the transport.
func (c *Config) OpenStore() (cache.Store, error) {
	a := c.Account()
	if !a.keeps() {
		return nil, nil
	}
	if a.Cache.File != "" {
		store, err := disk.Open(disk.Options{Path: string(a.Cache.File), Size: int64(a.Cache.Size)})
		if err != nil {
			return nil, fmt.Errorf("open the cache (cache.file): %w", err)
		}
		return store, nil
	}
	return c.OpenTrialStore()
}

// OpenTrialStore opens a store in memory, and leaves the one on disk alone; nil
// when no answers are kept. It is for who only tries what would be kept.
func (c *Config) OpenTrialStore() (cache.Store, error) {
	a := c.Account()
	if !a.keeps() {
		return nil, nil
	}
	store, err := memory.New(memory.Options{Size: int64(a.Cache.Size)})
	if err != nil {
		return nil, fmt.Errorf("make the cache (cache.size): %w", err)
	}
	return store, nil
}

// keeps reports whether any answers are kept.
func (a *Account) keeps() bool { return a != nil && (bool(a.Cache.Static) || len(a.Cache.Routes) > 0) }

// cache looks at what is kept.
func (v validator) cache(c *Cache, path string) {
	if c.Size < 1<<20 {
		v.wrong([]string{path + ".size"}, "%s is less than 1MiB, room for a few answers (leave it out for 64MiB)", c.Size)
	}
	first := map[Kind]string{}
	for i := range c.Routes {
		r, path := &c.Routes[i], at(path+".routes", i)
		switch before, again := first[r.Match]; {
		case r.Match == "" && v.said(path+".match"): // and was told of already
			continue
		case r.Match == "":
			v.wrong([]string{path}, "it has no match (write match: GET /api/v2/tickets/{id})")
			continue
		case again:
			v.wrong([]string{path + ".match"}, "%s is %s already (put the two together)", r.Match, before)
		default:
			first[r.Match] = path
		}
		if !v.said(path+".fresh") && !v.said(path+".stale_while_limited") && !v.said(path+".not_found") {
			v.wrong([]string{path}, "it says nothing about %s (write fresh: 30s)", r.Match)
		}
		for name, d := range map[string]Duration{"fresh": r.Fresh, "stale_while_limited": r.StaleWhileLimited, "not_found": r.NotFound} {
			if d > 7*day {
				v.wrong([]string{path + "." + name}, "%s is over 168h (what is to be kept for longer is a copy of the account)", d)
			}
		}
	}
}
