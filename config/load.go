package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/flyballhq/flyball/zendesk"
)

// maxFile bounds a configuration file in bytes.
const maxFile = 4 << 20

// A Source says where a configuration comes from. The zero value is the
// defaults.
type Source struct {
	// File is the YAML file's path; "" is none.
	File string
	// Account is the account to serve, as the command line names it; "" is
	// the file's only one, or FLYBALL_ACCOUNT.
	Account string
	// Env looks up an environment variable; nil is an empty environment.
	Env func(name string) string
	// Flags are those that were given, none that merely have a default.
	Flags []Flag
}

func (s Source) env(name string) string {
	if s.Env == nil || name == "" {
		return ""
	}
	return strings.TrimSpace(s.Env(name))
}

// Load reads a configuration. It returns either a Config that can be used or
// an error; where the content is wrong that is [Mistakes], all of them.
func Load(src Source) (*Config, error) {
	text, err := src.read()
	if err != nil {
		return nil, err
	}
	return src.parse(text)
}

// read returns the file's bytes, nil without a file.
func (s Source) read() ([]byte, error) {
	if s.File == "" {
		return nil, nil
	}
	text, err := readFile(s.File)
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	if err != nil {
		return nil, fmt.Errorf("read the configuration %s: %w (check the path, and that this user may read it)", s.File, err)
	}
	return text, nil
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("over %d MiB, which no configuration is", maxFile>>20)
	}
	if text == nil {
		text = []byte{}
	}
	return text, err
}

// parse makes a configuration of a file's bytes, nil for none.
func (s Source) parse(text []byte) (*Config, error) {
	c, mistakes := defaults(), Mistakes{}
	if text != nil && !c.decode(s.File, text, &mistakes) {
		return nil, mistakes
	}
	c.choose(s, &mistakes)
	c.overlay(s, &mistakes)
	c.anchorFiles(filepath.Dir(s.File))
	c.validate(&mistakes)
	if err := mistakes.sorted(); err != nil {
		return nil, err
	}
	return c, nil
}

// choose finds the account that is served. One process serves one account: a
// Host header, which is all that could tell accounts on one listener apart, is
// whatever a client or an ingress makes of it, and a wrong guess would send a
// credential to somebody else's account.
func (c *Config) choose(src Source, mistakes *Mistakes) {
	name, from := src.Account, Origin{From: FromFlag, Name: "ACCOUNT"}
	if name == "" {
		name, from = src.env(Prefix+"ACCOUNT"), Origin{From: FromEnvironment, Name: Prefix + "ACCOUNT"}
	}
	if name == "" {
		if len(c.Accounts) == 1 {
			c.chosen = 0
		}
		return
	}
	wanted, err := zendesk.Account(name)
	var names []string
	for i := range c.Accounts {
		a := &c.Accounts[i]
		upstream := a.URL()
		if strings.EqualFold(string(a.Name), name) || err == nil && upstream != nil && upstream.String() == wanted.String() {
			c.chosen = i
			return
		}
		names = append(names, a.Label())
	}
	switch {
	case err != nil:
		mistakes.add(from, "", "%s", err)
	case len(names) > 0:
		mistakes.add(from, "", "%s is not in %s, which has %s (name one of those, or add it under accounts)", name, src.File, strings.Join(names, ", "))
	default:
		c.add(name, wanted.String(), from)
	}
}

// add makes an account of what the command line says.
func (c *Config) add(name, upstream string, from Origin) {
	var a Account
	a.setDefaults()
	path := "accounts[0]."
	if strings.Contains(name, "://") {
		a.Upstream, c.origins[path+"upstream"] = URL(upstream), from
	} else {
		a.Name, c.origins[path+"name"] = Name(name), from
	}
	c.Accounts, c.chosen = []Account{a}, 0
}

// anchorFiles makes the paths that stand in a file relative to its folder:
// the gateway may be started from anywhere.
func (c *Config) anchorFiles(folder string) {
	files := map[string]*File{"admin.token_file": &c.Admin.TokenFile, "admin.usage_file": &c.Admin.UsageFile, "tls.cert": &c.TLS.Cert, "tls.key": &c.TLS.Key, "access_log.file": &c.AccessLog.File, "alerts.webhook_file": &c.Alerts.WebhookFile}
	for i := range c.Accounts {
		files[at("accounts", i)+".cache.file"] = &c.Accounts[i].Cache.File
	}
	for key, f := range files {
		if c.origins[key].From == FromFile && *f != "" && *f != "-" && !filepath.IsAbs(string(*f)) {
			*f = File(filepath.Join(folder, string(*f)))
		}
	}
}
