package config

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/limit"
)

// Settings are what a configuration says about one account's calls. They do
// not change; a call reads those in force once, from [Live.Settings], and
// keeps them to its end. Any number of calls may read them at once.
type Settings struct {
	// Policies are the clients', in the order of the file.
	Policies []Policy

	maxWait time.Duration
	routes  []Route
	known   []known        // of Policies, by index
	headers map[string]int // by Flyball-Client, in lower case
	hashed  bool           // somebody is known by a hash
	emailed bool           // somebody is known by an e-mail
}

// known is what one client is recognised by, in lower case.
type known struct{ hashes, emails, agents []string }

// A Policy is what was said about one client.
type Policy struct {
	Name     string
	Class    limit.Class // with HasClass
	HasClass bool
	Ceiling  limit.Class   // the most urgent class its header may ask for
	Weight   float64       // its turns beside other clients'; 1 unless said
	MaxWait  time.Duration // with HasWait; 0 never waits
	HasWait  bool
	Batch    bool // its calls may be merged with others
}

// Settings returns what c says about the account that is served. Without an
// account it is nil.
func (c *Config) Settings() *Settings {
	a := c.Account()
	if a == nil {
		return nil
	}
	s := &Settings{
		maxWait: time.Duration(c.MaxWait),
		routes:  a.Routes,
		headers: make(map[string]int),
	}
	for i := range a.Clients {
		s.add(&a.Clients[i])
	}
	return s
}

func (s *Settings) add(c *Client) {
	p := Policy{Name: string(c.Name), Weight: float64(c.Weight), Batch: c.Batch != ""}
	p.Class, p.HasClass = c.Class.Limit()
	p.Ceiling, _ = c.Ceiling.Limit()
	if c.MaxWait != nil {
		p.MaxWait, p.HasWait = time.Duration(*c.MaxWait), true
	}
	i := len(s.Policies)
	s.Policies = append(s.Policies, p)
	s.known = append(s.known, known{lowered(c.Match.Credential), lowered(c.Match.Email), lowered(c.Match.UserAgent)})
	s.headers[strings.ToLower(p.Name)] = i
	for _, name := range c.Match.Header {
		s.headers[strings.ToLower(string(name))] = i
	}
	s.hashed = s.hashed || len(c.Match.Credential) > 0
	s.emailed = s.emailed || len(c.Match.Email) > 0
}

// Decide says what holds for a call. Of two classes, the client's and the
// route's, the less urgent holds; of two waits, the shorter; where neither says
// anything, the gateway's own. Either may allow merging.
func (s *Settings) Decide(r *http.Request) gateway.Decision {
	d := gateway.Decision{Ceiling: limit.Interactive, MaxWait: s.maxWait}
	waits := false
	if p := s.client(r); p != nil {
		d.Client, d.Weight, d.Batch = p.Name, p.Weight, p.Batch
		d.Class, d.HasClass, d.Ceiling = p.Class, p.HasClass, p.Ceiling
		if p.HasWait {
			d.MaxWait, waits = p.MaxWait, true
		}
	}
	if route := s.route(r.Method, r.URL.Path); route != nil {
		d.Batch = d.Batch || route.Batch != ""
		if class, ok := route.Class.Limit(); ok && (!d.HasClass || class.Urgency() < d.Class.Urgency()) {
			d.Class, d.HasClass = class, true
		}
		if w := route.MaxWait; w != nil && (!waits || time.Duration(*w) < d.MaxWait) {
			d.MaxWait = time.Duration(*w)
		}
	}
	if d.HasClass && d.Class.Urgency() > d.Ceiling.Urgency() {
		d.Class = d.Ceiling
	}
	return d
}

func (s *Settings) route(method, path string) *Route {
	path = trimmed(path)
	for i := range s.routes {
		if s.routes[i].Match.matches(method, path) {
			return &s.routes[i]
		}
	}
	return nil
}

// client finds who calls: by the name it gives itself, else by its credential,
// by the e-mail in it, by its program.
func (s *Settings) client(r *http.Request) *Policy {
	if len(s.Policies) == 0 {
		return nil
	}
	if name := r.Header.Get("Flyball-Client"); name != "" {
		if i, ok := s.headers[strings.ToLower(strings.TrimSpace(name))]; ok {
			return &s.Policies[i]
		}
		return nil // it says who it is, and nobody here is called so
	}
	for _, find := range []func(*http.Request) int{s.byHash, s.byEmail, s.byProgram} {
		if i := find(r); i >= 0 {
			return &s.Policies[i]
		}
	}
	return nil
}

func (s *Settings) byHash(r *http.Request) int {
	credential := r.Header.Get("Authorization")
	if !s.hashed || credential == "" {
		return -1
	}
	sum := sha256.Sum256([]byte(credential))
	digits := hex.EncodeToString(sum[:])
	return slices.IndexFunc(s.known, func(k known) bool {
		return slices.ContainsFunc(k.hashes, func(h string) bool { return strings.HasPrefix(digits, h) })
	})
}

// byEmail reads the e-mail of a Basic credential, which a user name that is
// none is not.
func (s *Settings) byEmail(r *http.Request) int {
	if !s.emailed {
		return -1
	}
	user, _, _ := r.BasicAuth()
	email, _, _ := strings.Cut(user, "/token")
	if !strings.Contains(email, "@") {
		return -1
	}
	email = strings.ToLower(email)
	return slices.IndexFunc(s.known, func(k known) bool { return anyFits(k.emails, email) })
}

// byProgram compares the whole User-Agent and its first product's name.
func (s *Settings) byProgram(r *http.Request) int {
	agent := strings.ToLower(strings.TrimSpace(r.UserAgent()))
	if agent == "" {
		return -1
	}
	product, _, _ := strings.Cut(agent, " ")
	product, _, _ = strings.Cut(product, "/")
	return slices.IndexFunc(s.known, func(k known) bool { return anyFits(k.agents, product) || anyFits(k.agents, agent) })
}

func anyFits(patterns []string, s string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return glob(p, s) })
}

func lowered[T ~string](texts []T) []string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = strings.ToLower(string(text))
	}
	return all
}
