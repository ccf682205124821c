package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/watch"
	"github.com/flyballhq/flyball/zendesk"
)

// hear reads what an answer says of the limit. A 429 stops all calls.
func (w *watcher) hear(req *http.Request, resp *http.Response, asked, answered time.Time) {
	provider := zendesk.New(zendesk.UnknownPlan)
	route := provider.Route(req)
	said := provider.Read(&route, resp.StatusCode, resp.Header)
	w.mu.Lock()
	defer w.mu.Unlock()
	if resp.StatusCode == http.StatusTooManyRequests {
		text := peek(resp)
		until := answered
		if said.HasRetryAfter {
			until = answered.Add(max(said.RetryAfter, time.Second))
		}
		w.view.refused(w.engine.Refused(answered, until, firstLine(text)))
		return
	}
	for _, r := range said.Readings() {
		if r.Rule.ID == "account" && r.Rule.Service == "support" {
			w.engine.Read(watch.Reading{
				Asked: asked, Answered: answered, Limit: r.Limit, Left: r.Remaining, Reset: r.Reset, HasReset: r.HasReset,
			})
		}
	}
}

// peek reads the beginning of a body and leaves it whole.
func peek(resp *http.Response) string {
	start, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	resp.Body = &peeked{io.MultiReader(bytes.NewReader(start), resp.Body), resp.Body}
	return string(start)
}

type peeked struct {
	io.Reader
	io.Closer
}

// get makes one call and reads its JSON into v. A call that is held back for
// the account's sake, or would be one too many, is not made and no error: ok is
// false.
func (w *watcher) get(ctx context.Context, path string, v any) (status int, ok bool, err error) {
	ctx = flyball.WithMaxWait(flyball.WithClient(ctx, "flyball watch"), w.window/30)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.origin.String()+path, nil)
	if err != nil {
		return 0, false, err
	}
	req.Header = http.Header{"Accept": {"application/json"}, "User-Agent": {"flyball-watch"}, "Authorization": {w.who.header}}
	resp, err := w.client.Do(req)
	if err != nil {
		return 0, false, w.held(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return resp.StatusCode, false, explain(w.origin.Host, err)
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		return resp.StatusCode, false, nil // it has been told already
	}
	if resp.StatusCode != http.StatusOK {
		return resp.StatusCode, false, fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return resp.StatusCode, false, fmt.Errorf("GET %s: its answer is not JSON (is %s a Zendesk account?)", path, w.origin.Host)
	}
	return resp.StatusCode, true, nil
}

// me asks who we are: a cheap call whose header tells what is left.
func (w *watcher) me(ctx context.Context) (role string, err error) {
	var doc struct {
		User struct {
			ID   *uint64 `json:"id"`
			Role string  `json:"role"`
		} `json:"user"`
	}
	status, ok, err := w.get(ctx, "/api/v2/users/me.json", &doc)
	switch {
	case status == http.StatusUnauthorized, ok && doc.User.ID == nil: // anonymous: a wrong password gets 200 [NZ]
		return "", fmt.Errorf("%s does not know this credential (check %s)", w.origin.Host, w.who.source)
	case err != nil:
		return "", err
	}
	return doc.User.Role, nil
}

// Lists of tokens, and what a refusal of each hides.
const (
	oauthList  = "/api/v2/oauth/tokens.json"
	apiList    = "/api/v2/api_tokens.json"
	clientList = "/api/v2/oauth/clients.json"
	globalList = "/api/v2/oauth/global_clients.json"

	mostPages = 2 // of OAuth tokens in one look, 100 a page
)

// look reads the lists of tokens.
func (w *watcher) look(ctx context.Context) error {
	asked := time.Now()
	list, calls, err := w.oauthTokens(ctx)
	more, n, err2 := w.apiTokens(ctx)
	if err == nil {
		err = err2
	}
	if len(w.names) == 0 {
		w.nameClients(ctx)
		for i := range list {
			list[i].Name = w.oauthName(list[i])
		}
	}
	tokens := make([]watch.Token, 0, len(list)+len(more))
	for _, t := range list {
		tokens = append(tokens, t.Token)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if calls+n > 0 {
		w.engine.Look(asked, append(tokens, more...), calls+n)
	}
	return err
}

type oauthToken struct {
	watch.Token
	client uint64
}

func (w *watcher) oauthTokens(ctx context.Context) (list []oauthToken, calls int, err error) {
	path := oauthList + "?all=true&page%5Bsize%5D=100"
	for calls < mostPages {
		var page struct {
			Tokens []struct {
				ID       uint64    `json:"id"`
				ClientID uint64    `json:"client_id"`
				UserID   uint64    `json:"user_id"`
				UsedAt   time.Time `json:"used_at"`
			} `json:"tokens"`
			Meta struct {
				HasMore bool   `json:"has_more"`
				After   string `json:"after_cursor"`
			} `json:"meta"`
		}
		got, err := w.list(ctx, oauthList, path, "The OAuth tokens", &page)
		if !got {
			return list, calls, err
		}
		calls++
		for _, t := range page.Tokens {
			token := oauthToken{watch.Token{Key: "oauth " + strconv.FormatUint(t.ID, 10), User: t.UserID, Used: t.UsedAt}, t.ClientID}
			token.Name = w.oauthName(token)
			list = append(list, token)
		}
		if !page.Meta.HasMore || page.Meta.After == "" {
			return list, calls, nil
		}
		path = oauthList + "?all=true&page%5Bsize%5D=100&page%5Bafter%5D=" + url.QueryEscape(page.Meta.After)
	}
	w.hide("The OAuth tokens", fmt.Sprintf(" beyond the first %d are not read: it would take more calls than we allow ourselves.", len(list)))
	return list, calls, nil
}

func (w *watcher) apiTokens(ctx context.Context) (list []watch.Token, calls int, err error) {
	var page struct {
		Tokens []struct {
			ID          uint64    `json:"id"`
			Description string    `json:"description"`
			LastUsed    time.Time `json:"last_used"`
			LastUsedAt  time.Time `json:"last_used_at"` // clients spell it in two ways
		} `json:"api_tokens"`
	}
	got, err := w.list(ctx, apiList, apiList, "The API tokens", &page)
	if !got {
		return nil, 0, err
	}
	for _, t := range page.Tokens {
		used := t.LastUsed
		if used.IsZero() {
			used = t.LastUsedAt
		}
		key := "api " + strconv.FormatUint(t.ID, 10)
		list = append(list, watch.Token{Key: key, Name: firstOf(t.Description, key), Used: used})
	}
	return list, 1, nil
}

// nameClients learns what the OAuth clients are called.
func (w *watcher) nameClients(ctx context.Context) {
	for _, path := range []string{clientList, globalList} {
		var page struct {
			Clients, GlobalClients []struct {
				ID   uint64 `json:"id"`
				Name string `json:"name"`
			}
		}
		doc := map[string]json.RawMessage{}
		if got, _ := w.list(ctx, path, path, "The names of OAuth clients", &doc); !got {
			continue
		}
		_ = json.Unmarshal(doc["clients"], &page.Clients)
		_ = json.Unmarshal(doc["global_clients"], &page.GlobalClients)
		for _, c := range append(page.Clients, page.GlobalClients...) {
			w.names[c.ID] = c.Name
		}
	}
}

func (w *watcher) oauthName(t oauthToken) string {
	return firstOf(w.names[t.client], "client "+strconv.FormatUint(t.client, 10))
}

// list is get for what an account may refuse: then it is not asked for again
// for an hour, and the report says what that hides.
func (w *watcher) list(ctx context.Context, key, path, topic string, v any) (bool, error) {
	if time.Now().Before(w.denied[key]) {
		return false, nil
	}
	status, ok, err := w.get(ctx, path, v)
	switch {
	case ok:
		w.hide(topic, "")
		return true, nil
	case status >= 400 && status != http.StatusTooManyRequests:
		w.denied[key] = time.Now().Add(60 * w.window)
		w.hide(topic, fmt.Sprintf(" cannot be read: GET %s answers %d %s. %s", key, status, http.StatusText(status), wayOut(status)))
		return false, nil
	}
	return false, err
}

func wayOut(status int) string {
	switch status {
	case http.StatusForbidden, http.StatusUnauthorized:
		return "An admin's credential can, if its scopes allow it."
	case http.StatusNotFound:
		return "The account may have this kind of token switched off."
	}
	return "It is tried again each hour."
}

func (w *watcher) hide(topic, sentence string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.engine.Hidden(topic, sentence)
}
