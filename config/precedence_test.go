package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flyballhq/flyball/config"
)

// samples are three values of each key that the environment knows: what the
// file says, what a variable says, what a flag says.
var samples = map[string][3]string{
	"listen":                        {"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"},
	"admin.listen":                  {"127.0.0.1:4", "127.0.0.1:5", "127.0.0.1:6"},
	"admin.token_file":              {"/a", "/b", "/c"},
	"admin.usage_file":              {"/d", "/e", "/f"},
	"admin.allowed_hosts":           {"a.example.com", "b.example.com, c.example.com", ""},
	"tls.cert":                      {"/a", "/b", "/c"},
	"tls.key":                       {"/a", "/b", "/c"},
	"public_url":                    {"https://a.example.com", "https://b.example.com", "https://c.example.com"},
	"allowed_hosts":                 {"a.example.com", "b.example.com, c.example.com", "d.example.com, e.example.com:8443"},
	"trusted_peers":                 {"10.0.0.0/8", "10.0.0.1/32, 192.168.0.0/16", "172.16.0.0/12, 127.0.0.1/32"},
	"cors.origins":                  {"https://a.example.com", "https://b.example.com, https://c.example.com:8443", "http://d.example.com, https://e.example.com"},
	"rewrite_links":                 {"all", "off", "navigation"},
	"max_wait":                      {"1s", "2s", "3s"},
	"give_up":                       {"503", "504", "429"},
	"drain_timeout":                 {"1s", "2s", "3s"},
	"retries":                       {"3", "4", ""},
	"log.format":                    {"text", "json", "text"},
	"access_log.file":               {"/a", "/b", "/c"},
	"access_log.sample":             {"10%", "20%", "30%"},
	"alerts.webhook_file":           {"/a", "/b", ""},
	"alerts.over":                   {"70%", "80%", ""},
	"alerts.others":                 {"10%", "20%", ""},
	"alerts.windows":                {"2", "4", ""},
	"alerts.quiet":                  {"1m", "2m", ""},
	"bounds.max_header":             {"1KiB", "2KiB", ""},
	"bounds.max_body":               {"1KiB", "2KiB", ""},
	"bounds.body_memory":            {"1KiB", "2KiB", ""},
	"bounds.stall":                  {"1s", "2s", ""},
	"bounds.upstream_stall":         {"1s", "2s", ""},
	"bounds.max_waiting":            {"1", "2", ""},
	"bounds.max_clients":            {"1", "2", ""},
	"accounts[].plan":               {"team", "growth", "enterprise"},
	"accounts[].window":             {"1s", "2s", "3s"},
	"accounts[].at_most":            {"1/min", "2/min", ""},
	"accounts[].keep_free":          {"1", "2%", ""},
	"accounts[].politeness":         {"0.5", "2", ""},
	"accounts[].burst":              {"3", "4", ""},
	"accounts[].batch.read_window":  {"3ms", "4ms", ""},
	"accounts[].batch.write_window": {"30ms", "40ms", ""},
	"accounts[].elide.within":       {"5m", "10m", ""},
	"accounts[].cache.coalesce":     {"off", "on", ""},
	"accounts[].cache.static":       {"on", "off", ""},
	"accounts[].cache.size":         {"1MiB", "2MiB", ""},
	"accounts[].cache.file":         {"/a", "/b", ""},
}

func TestFlagsGoOverTheEnvironmentAndThatOverTheFile(t *testing.T) {
	for _, k := range config.Keys() {
		if k.Variable == "" || k.Path == "admin.token" || k.Path == "alerts.webhook" {
			continue
		}
		t.Run(k.Path, func(t *testing.T) {
			sample, ok := samples[k.Path]
			if !ok {
				t.Fatalf("the test has no samples for %s", k.Path)
			}
			src := config.Source{File: write(t, fileSaying(k.Path, sample[0]))}
			line := fmt.Sprint(src.File, ":", strings.Count(fileSaying(k.Path, ""), "\n"))
			hold(t, src, k, sample[0], line)
			src.Env = func(name string) string { return map[string]string{k.Variable: sample[1]}[name] }
			hold(t, src, k, sample[1], k.Variable)
			if k.Flag != "" {
				src.Flags = []config.Flag{{Name: k.Flag, Value: sample[2]}}
				hold(t, src, k, sample[2], "--"+k.Flag)
			}
		})
	}
}

// hold checks that a key has a value in the configuration as it is shown, and
// that it is said where that comes from.
func hold(t *testing.T, src config.Source, k config.Key, value, from string) {
	t.Helper()
	c, err := config.Load(src)
	if err != nil {
		// A certificate without a key, and the like: its own mistake, not ours.
		t.Fatalf("Load: %v", err)
	}
	path := strings.Replace(k.Path, "[]", "[0]", 1)
	if got := c.Origin(path).String(); got != from {
		t.Errorf("%s comes from %s, want %s", path, got, from)
	}
	want := map[bool]string{true: "[" + value + "]", false: value}[strings.HasSuffix(k.Path, "allowed_hosts") || k.Path == "trusted_peers" || k.Path == "cors.origins"]
	for line := range strings.Lines(shown(t, c)) {
		if said, origin, _ := strings.Cut(line, "#"); strings.TrimSpace(origin) == from {
			if _, got, _ := strings.Cut(strings.TrimSpace(said), ": "); got == want {
				return
			}
		}
	}
	t.Errorf("%s = %s from %s is not in:\n%s", k.Path, want, from, shown(t, c))
}

// fileSaying is a file with one key in its last line, and what must go with it
// before.
func fileSaying(path, value string) string {
	name, inAccount := strings.CutPrefix(path, "accounts[].")
	group, key, grouped := strings.Cut(path, ".")
	switch {
	case inAccount && strings.Contains(name, "."):
		return fmt.Sprintf("accounts:\n  - name: acme\n    %s: %s\n", strings.Replace(name, ".", ":\n      ", 1), value)
	case inAccount:
		return fmt.Sprintf("accounts:\n  - name: acme\n    %s: %s\n", name, value)
	case path == "tls.cert":
		return fmt.Sprintf("tls:\n  key: /key\n  cert: %s\n", value)
	case path == "tls.key":
		return fmt.Sprintf("tls:\n  cert: /cert\n  key: %s\n", value)
	case grouped:
		return fmt.Sprintf("%s:\n  %s: %s\n", group, key, value)
	}
	return fmt.Sprintf("%s: %s\n", path, value)
}

func TestAWrongVariableOrFlagIsNamed(t *testing.T) {
	_, err := config.Load(config.Source{
		Account: "acme",
		Env: func(name string) string {
			return map[string]string{
				"FLYBALL_MAX_WAIT":      "8",
				"FLYBALL_TRUSTED_PEERS": "10.0.0.1,ingress",
				"FLYBALL_PLAN":          "gold",
				"FLYBALL_ADMIN_LISTEN":  "0.0.0.0:4291",
			}[name]
		},
		Flags: []config.Flag{{Name: "tls-cert", Value: "chain.pem"}, {Name: "give-up", Value: "500"}},
	})
	want := `FLYBALL_TRUSTED_PEERS: "ingress" is neither an address nor a network (write 10.0.0.7 or 10.0.0.0/8)
FLYBALL_MAX_WAIT: "8" has no unit (write 8s or 8m)
FLYBALL_PLAN: no Zendesk plan is called "gold": use one of essential, team, growth, professional, enterprise, enterprise-plus, high-volume, developer, or leave it out to learn the limit from the answers
FLYBALL_ADMIN_LISTEN: 0.0.0.0:4291 can be reached from other machines: set an admin token (it comes from admin.token_file, --admin-token-file or FLYBALL_ADMIN_TOKEN), or use 127.0.0.1
--give-up: "500" is not 429, 503 or 504
--tls-cert: a certificate needs tls.key, the file with its private key`
	if err == nil || err.Error() != want {
		t.Errorf("Load = %v\nwant %s", err, want)
	}
}

func TestOneProcessServesOneAccount(t *testing.T) {
	several := write(t, "accounts:\n  - name: acme\n    plan: team\n  - upstream: http://127.0.0.1:4292\n  - name: beta\n  - {name: the other one, upstream: \"http://127.0.0.1:4293\"}\n")
	for _, tt := range []struct {
		file, account, variable string
		want                    string // the account's URL, or a part of the error
	}{
		{several, "acme", "", "https://acme.zendesk.com"},
		{several, "beta.zendesk.com", "acme", "https://beta.zendesk.com"},
		{several, "http://127.0.0.1:4292", "", "http://127.0.0.1:4292"},
		{several, "", "beta", "https://beta.zendesk.com"},
		{several, "The other one", "", "http://127.0.0.1:4293"},
		{several, "", "", "4 accounts are listed, and one gateway serves one (say which: flyball serve acme, or FLYBALL_ACCOUNT; the others, 127.0.0.1:4292, beta, the other one, each have a gateway of their own)"},
		{several, "gamma", "", "which has acme, 127.0.0.1:4292, beta, the other one (name one of those, or add it under accounts)"},
		{several, "a/b", "", `ACCOUNT: "a/b" is not a Zendesk account`},
		{write(t, "max_wait: 8s\n"), "acme", "", "https://acme.zendesk.com"},
		{write(t, "max_wait: 8s\n"), "", "", "no account is named"},
		{write(t, "accounts: [{name: acme}]\n"), "", "", "https://acme.zendesk.com"},
		{"", "http://localhost:1", "", "http://localhost:1"},
	} {
		src := config.Source{File: tt.file, Account: tt.account, Env: func(name string) string {
			return map[string]string{"FLYBALL_ACCOUNT": tt.variable}[name]
		}}
		var got string
		if l, err := config.Open(src); err != nil {
			got = err.Error()
		} else {
			got = l.Config().Account().URL().String()
		}
		if !strings.Contains(got, tt.want) {
			t.Errorf("account %q, FLYBALL_ACCOUNT %q: %s, want %s", tt.account, tt.variable, got, tt.want)
		}
	}
}

// A flag that nobody could obey is not passed over.
func TestAnAccountsFlagNeedsAnAccount(t *testing.T) {
	flags := []config.Flag{{Name: "plan", Value: "team"}}
	_, err := config.Load(config.Source{Flags: flags})
	if want := "--plan: it speaks of the account that is served: no account is named (write flyball serve ACCOUNT, list one under accounts, or set FLYBALL_ACCOUNT)"; err == nil || err.Error() != want {
		t.Errorf("Load = %v, want %s", err, want)
	}
}

func TestTheAdminTokenOfTheLastPlaceHolds(t *testing.T) {
	token := write(t, "from-a-file\n")
	file := write(t, "admin: {token_file: "+token+"}\n")
	env := func(name string) string { return map[string]string{"FLYBALL_ADMIN_TOKEN": "from-env"}[name] }
	for _, tt := range []struct {
		src  config.Source
		want string
	}{
		{config.Source{File: file}, "from-a-file"},
		{config.Source{File: file, Env: env}, "from-env"},
		{config.Source{Env: env}, "from-env"},
		{config.Source{Env: env, Flags: []config.Flag{{Name: "admin-token-file", Value: token}}}, "from-a-file"},
		{config.Source{}, ""},
	} {
		c, err := config.Load(tt.src)
		if err != nil {
			t.Fatal(err)
		}
		o, err := c.AdminOptions()
		if err != nil || o.Token != tt.want {
			t.Errorf("AdminOptions of %+v: token %q, %v; want %q", tt.src, o.Token, err, tt.want)
		}
		if strings.Contains(shown(t, c)+fmt.Sprintf("%v %+v %#v", c.Admin, c.Admin, c.Admin), "from-env") {
			t.Error("the token is shown")
		}
	}
}

func TestNamesInTheFileAreRelativeToItsFolder(t *testing.T) {
	file := write(t, "admin: {token_file: token}\ntls: {cert: sub/chain.pem, key: /etc/key.pem}\n")
	c, err := config.Load(config.Source{File: file, Flags: []config.Flag{{Name: "tls-cert", Value: "here.pem"}}})
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Dir(file)
	if got, want := string(c.Admin.TokenFile), filepath.Join(folder, "token"); got != want {
		t.Errorf("token_file = %s, want %s", got, want)
	}
	if c.TLS.Key != "/etc/key.pem" || c.TLS.Cert != "here.pem" {
		t.Errorf("tls = %+v, want an absolute name and a flag's as they are", c.TLS)
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "flyball.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func shown(t *testing.T, c *config.Config) string {
	t.Helper()
	var b strings.Builder
	if _, err := c.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
