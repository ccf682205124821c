package desk

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// Credential is the kind of credential that a token is.
type Credential string

// The kinds that are listed by the account. Others, such as a password or a
// browser's session, leave no trace in any list.
const (
	OAuth    Credential = "oauth"
	APIToken Credential = "api-token"
)

// oauthToken is one row of GET /api/v2/oauth/tokens, with the client that it
// belongs to [OAUTH].
type oauthToken struct {
	ID           uint64     `json:"id"`
	ClientID     uint64     `json:"client_id"`
	UserID       uint64     `json:"user_id"`
	Token        string     `json:"token"` // its first 10 characters
	RefreshToken *string    `json:"refresh_token"`
	Scopes       []string   `json:"scopes"`
	CreatedAt    time.Time  `json:"created_at"`
	ExpiresAt    *time.Time `json:"expires_at"`
	UsedAt       *time.Time `json:"used_at"`

	client string // its name
}

func (t *oauthToken) key() uint64 { return t.ID }

func (t *oauthToken) append(b []byte, origin string) []byte {
	b = append(b, `{"url":`...)
	b = quote(b, origin+"/api/v2/oauth/tokens/"+strconv.FormatUint(t.ID, 10)+".json")
	return append(append(b, ','), encode(t)[1:]...)
}

// apiToken is one row of GET /api/v2/api_tokens. Its page is in Zendesk's
// OpenAPI file; the spelling of last_used is from a client's source.
type apiToken struct {
	ID          uint64     `json:"id"`
	Active      bool       `json:"active"`
	Description string     `json:"description"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
	LastUsed    *time.Time `json:"last_used"`
}

func (t *apiToken) key() uint64 { return t.ID }

func (t *apiToken) append(b []byte, _ string) []byte { return append(b, encode(t)...) }

// credentials are the tokens that the account knows.
type credentials struct {
	oauth    table[*oauthToken]
	api      table[*apiToken]
	byName   map[string]*oauthToken // by the client's name, or by the secret
	apiNamed map[string]*apiToken
	made     uint64
}

// newID takes nothing from the desk's draws: who calls first must not change
// the records made later.
func (c *credentials) newID() uint64 {
	c.made++
	return 40_000_000_000_000 + 7_340*c.made
}

// Issue makes a token that was never used, for a program of that name.
func (d *Desk) Issue(kind Credential, name string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.issue(kind, name, name, second(now))
}

func (d *Desk) issue(kind Credential, secret, name string, now time.Time) {
	switch kind {
	case OAuth:
		if d.issued.byName[secret] == nil {
			t := &oauthToken{ID: d.issued.newID(), ClientID: d.issued.newID(), UserID: d.admin(), Scopes: []string{"read", "write"}, CreatedAt: now, client: name}
			t.Token = strconv.FormatUint(t.ClientID*t.ID, 36)[:10]
			d.issued.byName[secret] = t
			d.issued.oauth.put(t)
		}
	case APIToken:
		if d.issued.apiNamed[secret] == nil {
			t := &apiToken{ID: d.issued.newID(), Active: true, Description: name, CreatedAt: now, UpdatedAt: now}
			d.issued.apiNamed[secret] = t
			d.issued.api.put(t)
		}
	}
}

// Use notes that a program called with its token.
func (d *Desk) Use(kind Credential, name string, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.use(kind, name, second(at))
}

func (d *Desk) use(kind Credential, secret string, at time.Time) {
	if t := d.issued.byName[secret]; kind == OAuth && t != nil && (t.UsedAt == nil || at.After(*t.UsedAt)) {
		t.UsedAt = &at
	}
	if t := d.issued.apiNamed[secret]; kind == APIToken && t != nil && (t.LastUsed == nil || at.After(*t.LastUsed)) {
		t.LastUsed = &at
	}
}

// usedBy notes that a caller came with its credential; one that is new becomes
// a token of the account, for any credential works.
func (d *Desk) usedBy(authorization string, now time.Time) {
	kind, secret, _ := strings.Cut(authorization, " ")
	switch {
	case strings.EqualFold(kind, "Bearer"):
		d.issue(OAuth, "Bearer "+secret, "a caller's client", now)
		d.use(OAuth, "Bearer "+secret, now)
	case strings.EqualFold(kind, "Basic"):
		pair, _ := base64.StdEncoding.DecodeString(secret)
		user, password, _ := strings.Cut(string(pair), ":")
		if strings.HasSuffix(user, "/token") {
			d.issue(APIToken, "Basic "+password, "a caller's token", now)
			d.use(APIToken, "Basic "+password, now)
		}
	}
}

// listOAuthTokens lists all tokens only if asked to; else those of the caller,
// who here is the administrator and owns them all [OAUTH].
func listOAuthTokens(c *call) answer {
	return paginate(c, "tokens", c.issued.oauth.sorted, order[*oauthToken]{}, nil)
}

// listAPITokens has no pages.
func listAPITokens(c *call) answer {
	return ok(append(appendRows([]byte{'{'}, "api_tokens", c.Origin, c.issued.api.sorted), '}'))
}

func listOAuthClients(c *call) answer {
	type client struct {
		ID         uint64 `json:"id"`
		Name       string `json:"name"`
		Identifier string `json:"identifier"`
	}
	rows := []client{}
	for _, t := range c.issued.oauth.sorted {
		rows = append(rows, client{t.ClientID, t.client, strings.ReplaceAll(t.client, " ", "_")})
	}
	return ok(encode(map[string]any{"clients": rows, "count": len(rows), "next_page": nil, "previous_page": nil}))
}

func listGlobalClients(*call) answer {
	return ok([]byte(`{"global_clients":[],"count":0,"next_page":null,"previous_page":null}`))
}
