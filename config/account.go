package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/flyballhq/flyball/zendesk"
)

// Account returns the account that is served; nil when the file lists several
// or none and nobody said which. See [Config.Served].
func (c *Config) Account() *Account {
	if c.chosen < 0 {
		return nil
	}
	return &c.Accounts[c.chosen]
}

// Served returns the account that is served, or an error that says how to
// name it.
func (c *Config) Served() (*Account, error) {
	if a := c.Account(); a != nil {
		return a, nil
	}
	if len(c.Accounts) == 0 {
		return nil, errors.New("no account is named (write flyball serve ACCOUNT, list one under accounts, or set FLYBALL_ACCOUNT)")
	}
	var names []string
	for i := range c.Accounts {
		names = append(names, c.Accounts[i].Label())
	}
	return nil, fmt.Errorf("%d accounts are listed, and one gateway serves one (say which: flyball serve %s, or FLYBALL_ACCOUNT; the others, %s, each have a gateway of their own)",
		len(names), names[0], strings.Join(names[1:], ", "))
}

// URL returns the account's origin; nil while it has neither name nor
// upstream that could be one.
func (a *Account) URL() *url.URL {
	at := string(a.Upstream)
	if at == "" {
		at = string(a.Name)
	}
	u, err := zendesk.Account(at)
	if err != nil {
		return nil
	}
	return u
}

// Label is what the account is called: its name, else its host.
func (a *Account) Label() string {
	if a.Name != "" {
		return string(a.Name)
	}
	if u := a.Upstream.URL(); u != nil {
		return u.Host
	}
	return "one without a name"
}
