package config

import (
	"time"

	"github.com/flyballhq/flyball/cache/memory"
)

// A Config is a whole configuration, complete with defaults. It is what one
// file says, with the environment and the flags over it, and does not change
// once [Load] has returned it.
//
// Each key's name in the file, in the environment (after FLYBALL_) and on the
// command line stands in the tags; docs/guide/configuration.md explains them.
type Config struct {
	Listen       Address   `yaml:"listen" env:"LISTEN" flag:"listen"`
	Admin        Admin     `yaml:"admin" envPrefix:"ADMIN_"`
	TLS          TLS       `yaml:"tls" envPrefix:"TLS_"`
	PublicURL    URL       `yaml:"public_url" env:"PUBLIC_URL" flag:"public-url"`
	AllowedHosts []Host    `yaml:"allowed_hosts" env:"ALLOWED_HOSTS" flag:"allow-host"`
	TrustedPeers []Peer    `yaml:"trusted_peers" env:"TRUSTED_PEERS" flag:"trust-peer"`
	CORS         CORS      `yaml:"cors" envPrefix:"CORS_"`
	RewriteLinks LinkMode  `yaml:"rewrite_links" env:"REWRITE_LINKS" flag:"rewrite-links"`
	MaxWait      Duration  `yaml:"max_wait" env:"MAX_WAIT" flag:"max-wait" live:"yes"`
	GiveUp       Status    `yaml:"give_up" env:"GIVE_UP" flag:"give-up"`
	DrainTimeout Duration  `yaml:"drain_timeout" env:"DRAIN_TIMEOUT" flag:"drain-timeout"`
	Retries      Count     `yaml:"retries" env:"RETRIES"`
	Log          Log       `yaml:"log" envPrefix:"LOG_"`
	AccessLog    AccessLog `yaml:"access_log" envPrefix:"ACCESS_LOG_"`
	Alerts       Alerts    `yaml:"alerts" envPrefix:"ALERTS_"`
	Bounds       Bounds    `yaml:"bounds" envPrefix:"BOUNDS_"`
	Accounts     []Account `yaml:"accounts" env:"-"`

	chosen  int // index in Accounts, -1 for none
	origins map[string]Origin
}

// Admin is the admin address.
type Admin struct {
	Listen       Address `yaml:"listen" env:"LISTEN" flag:"admin"`
	TokenFile    File    `yaml:"token_file" env:"TOKEN_FILE" flag:"admin-token-file"`
	AllowedHosts []Host  `yaml:"allowed_hosts" env:"ALLOWED_HOSTS"`
	UsageFile    File    `yaml:"usage_file" env:"USAGE_FILE" flag:"usage-file"`
	// Token comes from the environment alone.
	Token Secret `yaml:"-" env:"TOKEN"`
}

// CORS says which web pages may call.
type CORS struct {
	Origins []PageOrigin `yaml:"origins" env:"ORIGINS" flag:"allow-origin"`
}

// TLS names the files to serve HTTPS with; both or neither.
type TLS struct {
	Cert File `yaml:"cert" env:"CERT" flag:"tls-cert"`
	Key  File `yaml:"key" env:"KEY" flag:"tls-key"`
}

// Log says how log lines are written.
type Log struct {
	Format LogFormat `yaml:"format" env:"FORMAT" flag:"log-format"`
}

// AccessLog says where a line for each call goes.
type AccessLog struct {
	File   File  `yaml:"file" env:"FILE" flag:"access-log"` // "-" is standard output
	Sample Share `yaml:"sample" env:"SAMPLE" flag:"access-log-sample"`
}

// Alerts says what is worth a message, and where it goes.
type Alerts struct {
	WebhookFile File     `yaml:"webhook_file" env:"WEBHOOK_FILE"`
	Over        Share    `yaml:"over" env:"OVER"`
	Others      Share    `yaml:"others" env:"OTHERS"`
	Windows     Count    `yaml:"windows" env:"WINDOWS"`
	Quiet       Duration `yaml:"quiet" env:"QUIET"`
	// Webhook comes from the environment alone: such a URL is a secret.
	Webhook Secret `yaml:"-" env:"WEBHOOK"`
}

// Bounds are what the gateway puts up with at most.
type Bounds struct {
	MaxHeader     Size     `yaml:"max_header" env:"MAX_HEADER"`
	MaxBody       Size     `yaml:"max_body" env:"MAX_BODY"`
	BodyMemory    Size     `yaml:"body_memory" env:"BODY_MEMORY"`
	Stall         Duration `yaml:"stall" env:"STALL"`
	UpstreamStall Duration `yaml:"upstream_stall" env:"UPSTREAM_STALL"`
	MaxWaiting    Count    `yaml:"max_waiting" env:"MAX_WAITING"`
	MaxClients    Count    `yaml:"max_clients" env:"MAX_CLIENTS"`
}

// An Account is one Zendesk account and how much of it may be used. The
// environment and the flags speak of the account that is served.
type Account struct {
	Name       Name     `yaml:"name"`
	Upstream   URL      `yaml:"upstream"`
	Plan       Plan     `yaml:"plan" env:"PLAN" flag:"plan"`
	Window     Duration `yaml:"window" env:"WINDOW" flag:"window"`
	AtMost     Rate     `yaml:"at_most" env:"AT_MOST" live:"yes"`
	KeepFree   Amount   `yaml:"keep_free" env:"KEEP_FREE" live:"yes"`
	Politeness Number   `yaml:"politeness" env:"POLITENESS" live:"yes"`
	Burst      Number   `yaml:"burst" env:"BURST" live:"yes"`
	Batch      Batch    `yaml:"batch" envPrefix:"BATCH_"`
	Elide      Elide    `yaml:"elide" envPrefix:"ELIDE_"`
	Cache      Cache    `yaml:"cache" envPrefix:"CACHE_"`
	Clients    []Client `yaml:"clients" env:"-" live:"yes"`
	Routes     []Route  `yaml:"routes" env:"-" live:"yes"`
}

// A Client is a caller that the file knows.
type Client struct {
	Name     Name      `yaml:"name"`
	Match    Match     `yaml:"match"`
	Class    Class     `yaml:"class"`
	Ceiling  Class     `yaml:"ceiling"`
	Weight   Number    `yaml:"weight"`
	MaxShare Share     `yaml:"max_share"`
	AtMost   Rate      `yaml:"at_most"`
	MaxWait  *Duration `yaml:"max_wait"`
	Batch    Leave     `yaml:"batch"`
}

// A Match says whose calls are a client's: any one of these is enough. A
// Flyball-Client header with the client's name always is.
type Match struct {
	Header     []Name    `yaml:"header"`
	Credential []Hash    `yaml:"credential_sha256"`
	Email      []Pattern `yaml:"email"`
	UserAgent  []Pattern `yaml:"user_agent"`
}

// A Route is a set of paths and what calls to them are.
type Route struct {
	Match   RoutePattern `yaml:"match"`
	Class   Class        `yaml:"class"`
	MaxWait *Duration    `yaml:"max_wait"`
	Batch   Leave        `yaml:"batch"`
}

// A Batch says how long calls that may be merged wait for each other while no
// limit holds them back.
type Batch struct {
	ReadWindow  Duration `yaml:"read_window" env:"READ_WINDOW"`
	WriteWindow Duration `yaml:"write_window" env:"WRITE_WINDOW"`
}

// An Elide says which writes that change nothing are left out.
type Elide struct {
	Within Duration `yaml:"within" env:"WITHIN"`
}

// A Cache says which calls are answered without a send of their own.
type Cache struct {
	Coalesce Switch      `yaml:"coalesce" env:"COALESCE"`
	Static   Switch      `yaml:"static" env:"STATIC"`
	Size     Size        `yaml:"size" env:"SIZE"`
	File     File        `yaml:"file" env:"FILE"`
	Routes   []KeptRoute `yaml:"routes" env:"-"`
}

// A KeptRoute is one kind of call whose answers are kept.
type KeptRoute struct {
	Match             Kind     `yaml:"match"`
	Fresh             Duration `yaml:"fresh"`
	StaleWhileLimited Duration `yaml:"stale_while_limited"`
	NotFound          Duration `yaml:"not_found"`
}

// defaults is the configuration of a gateway that was told nothing.
func defaults() *Config {
	return &Config{
		Listen:       "127.0.0.1:4290",
		Admin:        Admin{Listen: "127.0.0.1:4291"},
		RewriteLinks: "navigation",
		MaxWait:      Duration(50 * time.Second),
		GiveUp:       429,
		DrainTimeout: Duration(25 * time.Second),
		Retries:      2,
		AccessLog:    AccessLog{Sample: 1},
		Alerts:       Alerts{Over: .9, Others: .5, Windows: 3, Quiet: Duration(10 * time.Minute)},
		Bounds: Bounds{
			MaxHeader: 64 << 10, MaxBody: 256 << 20, BodyMemory: 1 << 20,
			Stall: Duration(30 * time.Second), UpstreamStall: Duration(2 * time.Minute),
			MaxWaiting: 10_000, MaxClients: 1024,
		},
		chosen:  -1,
		origins: map[string]Origin{},
	}
}

func (a *Account) setDefaults() {
	*a = Account{
		Window: Duration(time.Minute), Politeness: 1, Burst: 2,
		Batch: Batch{ReadWindow: Duration(5 * time.Millisecond), WriteWindow: Duration(20 * time.Millisecond)},
		Cache: Cache{Coalesce: true, Size: memory.DefaultSize},
	}
}

func (c *Client) setDefaults() {
	*c = Client{Ceiling: "interactive", Weight: 1, MaxShare: 1}
}
