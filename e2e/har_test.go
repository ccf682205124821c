package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/har"

	"github.com/flyballhq/flyball/audit"
	"github.com/flyballhq/flyball/simulator"
)

// wastefulCalls is a script that lists all tickets, reads one again and again,
// writes what was there and what was not, reads the records of two lists one
// by one, asks for more than it may have without waiting, and goes on until the
// account itself refuses it. It returns what it met by the kind of call.
const wastefulCalls = `(async () => {
	const gateway = %q, met = {};
	const call = async (kind, path, init = {}) => {
		const answer = await fetch(path.startsWith("/") ? gateway + path : path,
			{...init, headers: {Authorization: "Bearer a token", "Content-Type": "application/json", ...init.headers}});
		const text = await answer.text(), of = met[kind] ??= {answered: 0, refused: 0, spared: 0};
		of[answer.status !== 429 ? "answered" : answer.headers.get("flyball-refused") ? "spared" : "refused"]++;
		if (!answer.ok && answer.status !== 429) throw new Error(kind + ": " + answer.status + " " + text);
		return answer.ok ? JSON.parse(text) : null;
	};
	const write = (id, ticket) => call("PUT /api/v2/tickets/{id}", "/api/v2/tickets/" + id + ".json", {method: "PUT", body: JSON.stringify({ticket})});
	const read = (what, id, init) => call("GET /api/v2/" + what + "/{id}", "/api/v2/" + what + "/" + id + ".json", init);
	const list = (what, size) => call("GET /api/v2/" + what, "/api/v2/" + what + ".json?page[size]=" + size);
	for (let page = await list("tickets", 20); page.meta.has_more; )
		page = await call("GET /api/v2/tickets", page.links.next);
	for (let n = 0; n < 6; n++) await read("tickets", 1);
	const {ticket} = await read("tickets", 2);
	await write(2, {priority: ticket.priority, subject: ticket.subject});
	await write(2, {subject: "another subject"});
	const hurry = {headers: {Prefer: "wait=0"}};
	for (const {id} of (await list("organizations", 8)).organizations) await read("organizations", id);
	await Promise.all((await list("users", 90)).users.map(({id}) => read("users", id, hurry)));
	const groups = "GET /api/v2/groups";
	for (let n = 0; n < 500 && !met[groups]?.refused; n++) {
		await call(groups, "/api/v2/groups.json", hurry);
		await new Promise((r) => setTimeout(r, 20));
	}
	return JSON.stringify(met);
})()`

// met is what a page met with one kind of call: spared are the 429s that
// flyball gave, which are no sends; refused those that the account did.
type met struct{ Answered, Refused, Spared int }

// What Chromium's own developer tools record of a page on another origin that
// calls the gateway is read by flyball audit, whose figures are those that the
// page counted itself, and the account's ledger. A preflight is no call.
func TestHARByChromiumIsAudited(t *testing.T) {
	t.Parallel()
	flyball, origin := built(t, "..", "./cmd/flyball"), blank(t)
	sim := start(t, regexp.MustCompile(`listens on (http://\S+)`), flyball, "sim", "--listen", "127.0.0.1:0", "--latency", "5ms",
		"--limit", "60", "--window", "2s", "--tickets", "100", "--fault", "status=429,every=1,path=/api/v2/groups*,retry-after=1")
	gateway := start(t, regexp.MustCompile(`base URL for clients +(http://\S+)/api/v2`), flyball, "serve", sim,
		"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--window", "2s", "--allow-origin", origin)
	page, tools := newWatchedTab(t, origin)
	counted := map[string]met{}
	text := eval[string](t, page, fmt.Sprintf(wastefulCalls, gateway))
	if err := json.Unmarshal([]byte(text), &counted); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	led := ledger(t, sim)
	if counted["GET /api/v2/users/{id}"].Spared == 0 || counted["GET /api/v2/groups"].Refused != 1 {
		t.Fatalf("the page met %s: want refusals by flyball and one by the account", text)
	}
	for name, sanitized := range map[string]bool{"with what may be secret": false, "without": true} {
		t.Run(name, func(t *testing.T) {
			recorded := tools.har(t, sanitized)
			if has := strings.Contains(string(recorded), "Bearer a token"); has == sanitized {
				t.Errorf("the HAR has the credential: %v", has)
			}
			r := audited(t, flyball, recorded)
			theCallsOf(t, r, recorded, counted, led)
			theWasteOf(t, r, counted, led)
		})
	}
}

// theCallsOf compares the report's calls, sends and 429s with the HAR's, the
// page's and the ledger's.
func theCallsOf(t *testing.T, r audit.Report, recorded []byte, counted map[string]met, led simulator.Ledger) {
	t.Helper()
	calls, preflights := recordedIn(t, recorded)
	if preflights == 0 {
		t.Error("the browser asked nothing beforehand: nothing was tried")
	}
	if f := r.Files[0]; f.Calls != calls || f.Other != preflights || f.Unread != 0 {
		t.Errorf("read as %+v, want %d calls and %d preflights", f, calls, preflights)
	}
	want, sent := met{}, sends(led)
	for kind, m := range counted {
		want = met{want.Answered + m.Answered, want.Refused + m.Refused, want.Spared + m.Spared}
		var got audit.Endpoint
		for _, e := range r.Endpoints {
			if e.Name == kind {
				got = e
			}
		}
		if all := m.Answered + m.Refused; got.Sends != all || got.Refused != m.Refused || sent[kind] != all {
			t.Errorf("%s: the audit has %d sends, %d of them refused, the ledger %d sends; the page met %+v", kind, got.Sends, got.Refused, sent[kind], m)
		}
	}
	if all := want.Answered + want.Refused; r.Calls != all+want.Spared || r.Sends != all || led.Sends != all || len(r.Endpoints) != len(counted) {
		t.Errorf("%d calls, %d sends of %d kinds, %d in the ledger; the page met %+v of %d", r.Calls, r.Sends, len(r.Endpoints), led.Sends, want, len(counted))
	}
	if r.Refused != want.Refused || led.Refused() != want.Refused {
		t.Errorf("%d refused, %d in the ledger; the page met %d", r.Refused, led.Refused(), want.Refused)
	}
}

// theWasteOf compares the findings with what the page wasted.
func theWasteOf(t *testing.T, r audit.Report, counted map[string]met, led simulator.Ledger) {
	t.Helper()
	users, organizations := counted["GET /api/v2/users/{id}"].Answered, counted["GET /api/v2/organizations/{id}"].Answered
	const again = 5 // reads of the first ticket after the first
	want := map[audit.Kind]int{
		audit.Unchanged: again, audit.Repeats: again, audit.Nothing: 1,
		audit.Reads:  2 - 1 + allButOne(organizations, 2) + allButOne(users, 2),
		audit.FanOut: allButOne(organizations, 5) + allButOne(users, 5),
	}
	for _, f := range r.Findings {
		if f.Calls != want[f.Kind] {
			t.Errorf("%s: %d calls, want %d: %+v", f.Kind, f.Calls, want[f.Kind], f)
		}
		if n := f.Details["answered with 304"]; f.Kind == audit.Unchanged && (n != again || led.Status[http.StatusNotModified] != again) {
			t.Errorf("%d were answered with 304, %d by the ledger; want %d", n, led.Status[http.StatusNotModified], again)
		}
		delete(want, f.Kind)
	}
	for kind, n := range want {
		if n != 0 {
			t.Errorf("%s: not found, want %d calls", kind, n)
		}
	}
}

// allButOne is what one call for many spares of n, where it takes fewest to
// count.
func allButOne(n, fewest int) int {
	if n < fewest {
		return 0
	}
	return n - 1
}

// recordedIn counts a HAR's entries.
func recordedIn(t *testing.T, text []byte) (calls, preflights int) {
	t.Helper()
	var h har.HAR
	if err := json.Unmarshal(text, &h); err != nil {
		t.Fatal(err)
	}
	if h.Log.Version != "1.2" || h.Log.Creator.Name != "WebInspector" {
		t.Errorf("version %s by %s", h.Log.Version, h.Log.Creator.Name)
	}
	for _, e := range h.Log.Entries {
		if e.Request.Method == http.MethodOptions {
			preflights++
		} else {
			calls++
		}
	}
	return calls, preflights
}

var number = regexp.MustCompile(`/\d+`)

// sends counts the ledger's requests by kind.
func sends(led simulator.Ledger) map[string]int {
	n := map[string]int{}
	for _, r := range led.Requests {
		path, _, _ := strings.Cut(r.Path, "?")
		n[r.Method+" "+number.ReplaceAllString(strings.TrimSuffix(path, ".json"), "/{id}")]++
	}
	return n
}

// audited is what flyball audit says of a HAR.
func audited(t *testing.T, flyball string, text []byte) (r audit.Report) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.har")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), flyball, "audit", "--json", file).Output()
	if err == nil {
		err = json.Unmarshal(out, &r)
	}
	if err != nil {
		t.Fatalf("flyball audit: %v\n%s", err, out)
	}
	return r
}
