package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/flyballhq/flyball/simulator"
)

// pageCalls is a script that lists all tickets page by page, updates more of them
// at once than the account allows in a window, and goes on until flyball
// refuses. It returns what it could read.
const pageCalls = `(async () => {
	const gateway = %q, read = {tickets: 0, pages: 0, updated: 0, answered: 0, refused: 0};
	const call = (url, init = {}) => fetch(url.startsWith("/") ? gateway + url : url,
		{...init, headers: {Authorization: "Bearer a token", "Content-Type": "application/json", ...init.headers}});
	for (let url = "/api/v2/tickets.json?page[size]=20"; url; ) {
		const answer = await call(url), page = await answer.json();
		read.tickets += page.tickets.length; read.pages++;
		read.limit = answer.headers.get("x-rate-limit"); read.left = answer.headers.get("ratelimit-remaining"); read.reset = answer.headers.get("ratelimit-reset");
		read.endpoint = answer.headers.get("zendesk-ratelimit-tickets-index"); read.timing = answer.headers.get("server-timing");
		url = page.meta.has_more ? page.links.next : "";
		if (url && !url.startsWith(gateway)) throw new Error("the next page is at " + url);
	}
	await Promise.all([...Array(60).keys()].map(async (i) => {
		const answer = await call("/api/v2/tickets/" + (i + 1) + ".json", {method: "PUT", body: JSON.stringify({ticket: {priority: "high"}})});
		if (answer.ok) read.updated++;
	}));
	await Promise.all([...Array(90).keys()].map(async (i) => {
		const answer = await call("/api/v2/users/" + (i + 1) + ".json", {headers: {Prefer: "wait=0"}});
		await answer.text();
		if (answer.status !== 429) { read.answered++; return }
		read.refused++; read.again = answer.headers.get("retry-after"); read.why = answer.headers.get("flyball-refused");
	}));
	const basic = await call("/api/v2/tickets/1.json", {headers: {Authorization: "Basic dTpw"}});
	read.basic = basic.status + " " + (await basic.json()).error;
	return JSON.stringify(read);
})()`

// strangerCalls is a script of a page that is not listed: it tries each kind of
// call and returns what it could read of the answers.
const strangerCalls = `(async () => {
	const gateway = %q, got = [];
	for (const init of [{}, {headers: {Authorization: "Bearer a token"}}, {method: "PUT", headers: {"Content-Type": "application/json"}, body: "{}"},
		{method: "POST", headers: {"Content-Type": "text/plain"}, body: "{}"}]) {
		try { got.push("read " + (await fetch(gateway + "/api/v2/tickets/1.json", init)).status) } catch (e) { got.push(e.name) }
	}
	return got.join(", ");
})()`

// A page on another origin works through the gateway at the account's limit
// and reads when to come back; one that is not listed reads nothing.
func TestPagesInChromium(t *testing.T) {
	t.Parallel()
	listed, stranger := blank(t), blank(t)
	flyball := built(t, "..", "./cmd/flyball")
	sim := start(t, regexp.MustCompile(`listens on (http://\S+)`), flyball, "sim", "--listen", "127.0.0.1:0", "--latency", "5ms",
		"--limit", "40", "--window", "2s", "--tickets", "100")
	gateway := start(t, regexp.MustCompile(`base URL for clients +(http://\S+)/api/v2`), flyball, "serve", sim,
		"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--window", "2s", "--allow-origin", listed)

	page := newTab(t)
	page.open(t, listed)
	var read struct {
		Tickets, Pages, Updated, Answered, Refused              int
		Limit, Left, Reset, Endpoint, Timing, Again, Why, Basic string
	}
	text := eval[string](t, page, fmt.Sprintf(pageCalls, gateway))
	if err := json.Unmarshal([]byte(text), &read); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if read.Tickets != 100 || read.Pages != 5 || read.Updated != 60 || read.Refused == 0 {
		t.Errorf("the page did %s, want 100 tickets on 5 pages, 60 updates, and refusals in the end", text)
	}
	if read.Limit != "40" || read.Left == "" || read.Reset == "" || read.Endpoint == "" || read.Timing == "" {
		t.Errorf("the page read %s, want every limit header", text)
	}
	if read.Again == "" || read.Again == "0" || read.Why != "wait-too-long" {
		t.Errorf("the page read %s, want when to come back", text)
	}
	if read.Basic != "403 FlyballPageNeedsBearer" {
		t.Errorf("with Basic: %s", read.Basic)
	}
	// A preflight goes before each of the calls, and none of them is a send.
	if led, calls := ledger(t, sim), read.Pages+read.Updated+read.Answered; led.Sends != calls || led.Refused() != 0 {
		t.Errorf("%d sends, %d of them refused, for %d calls that were answered", led.Sends, led.Refused(), calls)
	}

	other := newTab(t)
	other.open(t, stranger)
	if got := eval[string](t, other, fmt.Sprintf(strangerCalls, gateway)); got != "TypeError, TypeError, TypeError, TypeError" {
		t.Errorf("a page that is not listed got %s", got)
	}
}

// blank serves an empty page until the test ends, and returns its origin.
func blank(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>a page</title><link rel=icon href=data:,>"))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func ledger(t *testing.T, sim string) simulator.Ledger {
	t.Helper()
	resp := get(t, sim+"/_sim/ledger")
	defer resp.Body.Close()
	var led simulator.Ledger
	if err := json.NewDecoder(resp.Body).Decode(&led); err != nil {
		t.Fatal(err)
	}
	return led
}
