package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/zendesk"
)

// apiFlags are the flags of flyball api as they were written.
type apiFlags struct {
	account  string
	method   string
	fields   []field
	headers  []string
	include  bool
	input    string
	paginate bool
	query    string
}

func newAPI(s Streams) *cobra.Command {
	var f apiFlags
	cmd := &cobra.Command{
		Use:   "api PATH [flags]",
		Short: "Make one governed call and print the answer",
		Long: `Make one call, within the account's limits, and print the answer's body.

PATH is /api/v2/tickets, or tickets for short. Fields go into the query of a GET
and into the JSON body of any other method; ticket[priority]=high nests, and
ticket[tags][]=vip adds to a list. The credential comes from ZENDESK_OAUTH_TOKEN,
or ZENDESK_EMAIL and ZENDESK_API_TOKEN, or -H 'Authorization: ...'.

An error's body goes to standard output as well, with one line on standard
error.`,
		Example: `  flyball api tickets/1 --account acme
  flyball api tickets --paginate -f 'page[size]=100' -q '.tickets[].id'
  flyball api tickets -X POST -f 'ticket[subject]=Hello' -f 'ticket[comment][body]=Hi'
  flyball api tickets/1 -X PUT -F 'ticket[assignee_id]=4711' -f 'ticket[tags][]=vip'`,
		Args: exactly("a PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), s, args[0])
		},
		Annotations: exits("answered with success", "answered with an error, or not at all", "wrong call"),
	}
	f.register(cmd, s)
	return cmd
}

func (f *apiFlags) register(cmd *cobra.Command, s Streams) {
	flags := cmd.Flags()
	flags.StringVar(&f.account, "account", "", "`ACCOUNT`: acme, acme.zendesk.com, or a URL, a gateway's too (default $FLYBALL_ACCOUNT)")
	flags.StringVarP(&f.method, "method", "X", "", "`METHOD`: HTTP method (default GET, POST with --input)")
	flags.VarP(fieldFlag{&f.fields, false, s.In}, "field", "f", "text field; may be given again (default none)")
	flags.VarP(fieldFlag{&f.fields, true, s.In}, "typed-field", "F", "the same, but true, false, null and numbers keep their type and\n@FILE (@- is standard input) is the file's text (default none)")
	flags.StringArrayVarP(&f.headers, "header", "H", nil, "`NAME:VALUE`: a request header; may be given again (default none)")
	flags.BoolVarP(&f.include, "include", "i", false, "print the answer's status and header too (default false)")
	flags.StringVar(&f.input, "input", "", "`FILE`: what to send as the body, - for standard input; fields then go into the query (default none)")
	flags.BoolVar(&f.paginate, "paginate", false, "get the following pages too, one document after the other (default false)")
	flags.StringVarP(&f.query, "query", "q", "", "`JQ`: jq program whose results are printed (default the whole answer)")
}

// An apiCall is one invocation, read and put together.
type apiCall struct {
	s        Streams
	client   *http.Client
	method   string
	url      *url.URL
	header   http.Header
	body     []byte // nil is none
	include  bool
	paginate bool
	query    *jsonQuery
	source   string // of the credential
}

func (f *apiFlags) run(ctx context.Context, s Streams, path string) error {
	call, account, err := f.prepare(s, path)
	if err != nil {
		return err
	}
	t, err := flyball.New(flyball.Options{Account: account, OnEvent: waitTeller(s)})
	if err != nil {
		return wrong(err)
	}
	defer t.Close()
	call.client = &http.Client{Transport: t, CheckRedirect: sameHostOnly}
	return call.run(ctx)
}

// prepare reads the flags.
func (f *apiFlags) prepare(s Streams, path string) (*apiCall, string, error) {
	name := firstOf(f.account, s.Env("FLYBALL_ACCOUNT"))
	if name == "" {
		return nil, "", wrongf("no account (give --account acme, or set FLYBALL_ACCOUNT)")
	}
	account, err := zendesk.Account(name)
	if err != nil {
		return nil, "", wrong(err)
	}
	call := &apiCall{s: s, method: f.methodOr(), include: f.include, paginate: f.paginate}
	if f.paginate && call.method != http.MethodGet {
		return nil, "", wrongf("--paginate goes with GET only, not with %s", call.method)
	}
	if call.query, err = parseQuery(f.query); err != nil {
		return nil, "", err
	}
	if call.url, err = resolvePath(account, path); err != nil {
		return nil, "", err
	}
	if err := f.fill(call); err != nil {
		return nil, "", err
	}
	return call, account.String(), f.headersInto(call, account.Host)
}

func (f *apiFlags) methodOr() string {
	switch {
	case f.method != "":
		return strings.ToUpper(f.method)
	case f.input != "":
		return http.MethodPost
	}
	return http.MethodGet
}

// resolvePath makes a URL on the account of what the caller wrote.
func resolvePath(account *url.URL, path string) (*url.URL, error) {
	switch {
	case strings.HasPrefix(path, "/") || strings.Contains(path, "://"):
	case strings.HasPrefix(path, "api/"):
		path = "/" + path
	default:
		path = "/api/v2/" + path
	}
	u, err := account.Parse(path)
	if err != nil {
		return nil, wrongf("PATH %q is not a path (write tickets/1 or /api/v2/tickets/1)", path)
	}
	if u.Host != account.Host || u.Scheme != account.Scheme {
		return nil, wrongf("PATH %q leads away from %s (give a path of that account, or another --account)", path, account)
	}
	return u, nil
}

// fill puts fields and input into the query and the body.
func (f *apiFlags) fill(call *apiCall) error {
	if f.input != "" {
		text, err := readText(f.input, call.s.In)
		if err != nil {
			return fmt.Errorf("read --input: %w (- is standard input)", err)
		}
		call.body = []byte(text)
	}
	if len(f.fields) == 0 {
		return nil
	}
	if call.body == nil && call.method != http.MethodGet && call.method != http.MethodHead {
		var err error
		call.body, err = document(f.fields)
		return wrong(err)
	}
	call.url.RawQuery = strings.Trim(call.url.RawQuery+"&"+query(f.fields), "&")
	return nil
}

// headersInto fills in the header; what the caller gives comes last.
func (f *apiFlags) headersInto(call *apiCall, host string) error {
	call.header = http.Header{"Accept": {"application/json"}, "User-Agent": {"flyball-api"}}
	if call.body != nil {
		call.header.Set("Content-Type", "application/json")
	}
	for _, line := range f.headers {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return wrongf("-H %q is not a header (write -H 'Name: value')", line)
		}
		call.header.Set(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if call.header.Get("Authorization") != "" {
		call.source = "the Authorization header given"
		return nil
	}
	who, err := credentialFor(call.s, host)
	if err != nil {
		return err
	}
	call.header.Set("Authorization", who.header)
	call.source = who.source
	return nil
}

// run makes the call, and the following ones when paging.
func (c *apiCall) run(ctx context.Context) error {
	for {
		got, err := c.send(ctx)
		if err != nil {
			return err
		}
		if err := c.print(ctx, got); err != nil {
			return err
		}
		if got.code >= 300 {
			return c.refusal(got)
		}
		if !c.paginate {
			return nil
		}
		next := nextPage(got.body, c.url)
		if next == nil {
			return nil
		}
		if next.Host != c.url.Host || next.Scheme != c.url.Scheme {
			return fmt.Errorf("the next page is on %s, not on %s, and was not asked for (a gateway must rewrite links)", next.Host, c.url.Host)
		}
		c.url = next
	}
}

// An answer is a response that was read whole.
type answer struct {
	code          int
	proto, status string
	header        http.Header
	body          []byte
}

func (c *apiCall) send(ctx context.Context) (*answer, error) {
	var body io.Reader
	if c.body != nil {
		body = bytes.NewReader(c.body)
	}
	req, err := http.NewRequestWithContext(ctx, c.method, c.url.String(), body)
	if err != nil {
		return nil, wrongf("%w (check -X and PATH)", err)
	}
	req.Header = c.header.Clone()
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, explain(c.url.Host, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, explain(c.url.Host, err)
	}
	return &answer{resp.StatusCode, resp.Proto, resp.Status, resp.Header, text}, nil
}

// print writes an answer: an error whole, else what the query leaves of it. On
// a terminal JSON is indented.
func (c *apiCall) print(ctx context.Context, got *answer) error {
	out, body := c.s.Out, got.body
	if c.include {
		fmt.Fprintf(out, "%s %s\n", got.proto, got.status)
		for _, name := range sortedNames(got.header) {
			for _, value := range got.header[name] {
				fmt.Fprintf(out, "%s: %s\n", name, value)
			}
		}
		fmt.Fprintln(out)
	}
	if c.query != nil && got.code < 300 {
		return c.query.print(ctx, out, body)
	}
	var indented bytes.Buffer
	if isTerminal(out) && json.Indent(&indented, body, "", "  ") == nil {
		body = indented.Bytes()
	}
	if _, err := out.Write(body); err != nil {
		return err
	}
	if len(body) > 0 && body[len(body)-1] != '\n' {
		fmt.Fprintln(out)
	}
	return nil
}

func sortedNames(h http.Header) []string {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// refusal is the one line about an answer that is no success.
func (c *apiCall) refusal(got *answer) error {
	hint := "its answer says why"
	switch got.code {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		hint = "it leads to " + firstOf(got.header.Get("Location"), "nowhere") + ", where the credential is not sent"
	case http.StatusUnauthorized:
		hint = "check " + c.source
	case http.StatusForbidden:
		hint = "the user of " + c.source + " may not do that"
	case http.StatusNotFound:
		hint = "check the path and the id"
	case http.StatusTooManyRequests:
		hint = "wait for Retry-After: " + firstOf(got.header.Get("Retry-After"), "not stated")
	}
	return fmt.Errorf("%s %s: %s (%s)", c.method, c.url.Path, got.status, hint)
}

// sameHostOnly keeps the credential from following a redirect elsewhere.
func sameHostOnly(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 || req.URL.Host != via[0].URL.Host {
		return http.ErrUseLastResponse
	}
	return nil
}

// waitTeller says on standard error when a call waits for more than a moment.
func waitTeller(s Streams) event.Sink {
	return func(e event.Event) {
		if e.Kind != event.Held || time.Until(e.Until) < 2*time.Second {
			return
		}
		fmt.Fprintf(s.Err, "flyball: waiting %.0f s for %s: %s\n", time.Until(e.Until).Seconds(), e.Bucket, e.Reason)
	}
}

// unmarshalNumbers keeps numbers as they are written.
func unmarshalNumbers(text []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(v)
}
