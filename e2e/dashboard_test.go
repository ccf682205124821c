package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/flyballhq/flyball/simulator"
)

// A desk is flyball serve in front of flyball sim, each a process of its own.
type desk struct {
	sim, gateway, admin string
	stop                func() // ends the gateway
}

var gatewaySays = []*regexp.Regexp{
	regexp.MustCompile(`base URL for clients +(http://\S+)/api/v2`),
	regexp.MustCompile(`dashboard +(http://\S+)/`),
}

func newDesk(t *testing.T, serve ...string) *desk {
	t.Helper()
	d := &desk{}
	d.sim = start(t, regexp.MustCompile(`listens on (http://\S+)`), built(t, "..", "./cmd/flyball"), "sim", "--listen", "127.0.0.1:0",
		"--limit", "40", "--window", "2s", "--latency", "5ms", "--fault", "status=429,every=17,path=/api/v2/tickets/*,retry-after=1")
	d.serve(t, "127.0.0.1:0", serve...)
	return d
}

// serve starts the gateway, with its admin address where it is told.
func (d *desk) serve(t *testing.T, admin string, flags ...string) {
	t.Helper()
	said, stop := launch(t, gatewaySays, built(t, "..", "./cmd/flyball"),
		append([]string{"serve", d.sim, "--window", "2s", "--listen", "127.0.0.1:0", "--admin", admin, "--drain-timeout", "1s"}, flags...)...)
	d.gateway, d.admin, d.stop = said[0], said[1], stop
}

// call makes one call and reports whether flyball refused it.
func (d *desk) call(t *testing.T, client, class, path, prefer string) (refused bool) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.gateway+path, http.NoBody)
	if err != nil {
		t.Error(err)
		return false
	}
	r.Header = http.Header{"Authorization": {"Bearer token"}, "Flyball-Client": {client}, "Flyball-Class": {class}, "Prefer": {prefer}}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return false
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.Header.Get("Flyball-Refused") != ""
}

// boards is how many show the same list, which they share when they ask for it
// at the same time.
const boards = 8

// load lets four clients call, each its own kind of record, so that the
// ledger tells them apart. It returns how many calls of the one that does not
// wait flyball refused.
func (d *desk) load(t *testing.T) (gaveUp int64) {
	t.Helper()
	var callers sync.WaitGroup
	var refused atomic.Int64
	for i := range 12 {
		callers.Go(func() {
			for n := range 10 {
				record := 1 + (10*i+n)%200
				switch i % 3 {
				case 0:
					d.call(t, "crm", "normal", fmt.Sprintf("/api/v2/tickets/%d.json", record), "wait=50")
				case 1:
					d.call(t, "export", "bulk", fmt.Sprintf("/api/v2/users/%d.json", record), "wait=50")
				default:
					if d.call(t, "widget", "interactive", fmt.Sprintf("/api/v2/organizations/%d.json", record), "wait=0") {
						refused.Add(1)
					}
				}
			}
		})
	}
	for range boards {
		callers.Go(func() {
			for range 5 {
				d.call(t, "board", "normal", "/api/v2/groups.json", "wait=50")
			}
		})
	}
	callers.Wait()
	return refused.Load()
}

func (d *desk) ledger(t *testing.T) (l simulator.Ledger) {
	t.Helper()
	resp := get(t, d.sim+"/_sim/ledger")
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&l); err != nil {
		t.Fatal(err)
	}
	return l
}

// figure is a number on the page, as text without its grouping.
func figure(selector string) string {
	return fmt.Sprintf(`document.querySelector(%q)?.textContent.replaceAll(",", "")`, selector)
}

// cell is a number in the table of clients.
func cell(client, column string) string {
	return figure(fmt.Sprintf(`#view-clients tr[data-key="c %s"] [data-column="%s"]`, client, column))
}

// The dashboard in a real browser, over one gateway's life: what it shows is
// what the account's own ledger says; it stays live through a restart; it can
// be worked by keyboard and read on a phone, in light and in dark.
func TestTheDashboardInABrowser(t *testing.T) {
	t.Parallel()
	p := newTab(t)
	d := newDesk(t)
	p.look(t, 1280, "light")
	p.open(t, d.admin+"/")
	p.becomes(t, `document.querySelector("#view-now .empty h2").checkVisibility()`, "true")
	gaveUp := d.load(t)
	ledger := d.ledger(t)
	if ledger.Refused() == 0 || gaveUp == 0 {
		t.Fatalf("the account refused %d, flyball %d: nothing was tried", ledger.Refused(), gaveUp)
	}
	t.Run("its figures are the ledger's", func(t *testing.T) { theLedgers(t, p, ledger, gaveUp) })
	t.Run("by keyboard", func(t *testing.T) { byKeyboard(t, p) })
	t.Run("in every light and width", func(t *testing.T) { inEveryLight(t, p) })
	if errs := p.errs(); len(errs) > 0 {
		t.Errorf("the console shows %q", errs)
	}
	t.Run("through a restart", func(t *testing.T) { throughARestart(t, p, d) })
	if errs := p.errs("net::ERR_"); len(errs) > 0 { // Chromium tells of each connection refused
		t.Errorf("after the restart the console shows %q", errs)
	}
}

func theLedgers(t *testing.T, p *tab, ledger simulator.Ledger, gaveUp int64) {
	number := func(n any) string { return fmt.Sprint(n) }
	saved := 5 * boards
	for _, r := range ledger.Requests {
		if strings.HasPrefix(r.Path, "/api/v2/groups") {
			saved--
		}
	}
	if saved == 0 {
		t.Error("nothing was saved: nothing was tried")
	}
	p.becomes(t, figure(`#view-now [data-figure="sends"]`), number(ledger.Sends))
	p.becomes(t, figure(`#view-now [data-figure="refusals"]`), number(ledger.Refused()))
	p.becomes(t, figure(`#view-now [data-figure="gave-up"]`), number(gaveUp))
	p.becomes(t, figure(`#view-now [data-figure="waiting"]`), "0")
	p.becomes(t, figure(`#view-now [data-figure="saved"]`), number(saved))
	p.becomes(t, figure(`[data-bucket="support/account"] .of`), "left of 40 per 2 s")

	eval[any](t, p, `location.hash = "clients"`)
	for client, path := range map[string]string{"crm": "/api/v2/tickets/", "export": "/api/v2/users/", "widget": "/api/v2/organizations/"} {
		sends, refused := 0, 0
		for _, r := range ledger.Requests {
			if strings.HasPrefix(r.Path, path) {
				sends++
				if r.Status == http.StatusTooManyRequests {
					refused++
				}
			}
		}
		p.becomes(t, cell(client, "calls"), "40")
		p.becomes(t, cell(client, "sends"), number(sends))
		p.becomes(t, cell(client, "refusals"), number(refused))
		want := "0"
		if client == "widget" {
			want = number(gaveUp)
		}
		p.becomes(t, cell(client, "gave-up"), want)
	}

	p.becomes(t, cell("board", "saved"), number(saved))

	eval[any](t, p, `location.hash = "time"`)
	sum := func(chart string) string {
		return fmt.Sprintf(`[...document.querySelectorAll("#view-time figure")].find((f) => f.querySelector("h3").textContent === %q)
			?.querySelectorAll(".legend strong").values().reduce((n, s) => n + Number(s.textContent.replaceAll(",", "")), 0)`, chart)
	}
	p.becomes(t, sum("Who and what"), number(ledger.Sends))
	p.becomes(t, sum("Sends saved"), number(saved))
	p.becomes(t, sum("429s by cause"), number(int64(ledger.Refused())+gaveUp))
	// A reader without eyes for a canvas has the same figures.
	table := `[...document.querySelectorAll("#view-time figure")].find((f) => f.querySelector("h3").textContent === "Who and what")`
	eval[any](t, p, table+`.querySelector("details").open = true`)
	p.becomes(t, table+`.querySelectorAll("details td").values().reduce((n, s) => n + Number(s.textContent.replaceAll(",", "")), 0)`, number(ledger.Sends))

	eval[any](t, p, `location.hash = "calls"`)
	p.becomes(t, `[...document.querySelectorAll("#view-calls h2")].some((h) => h.textContent === "Refused last (`+number(min(100, int64(ledger.Refused())+gaveUp))+`)")`, "true")
	p.becomes(t, `/^(the account refused GET|GET) .+ of (crm|widget) .+/.test([...document.querySelectorAll("#view-calls li[data-by] p")][0]?.textContent)`, "true")
}

func byKeyboard(t *testing.T, p *tab) {
	eval[any](t, p, `document.getElementById("tab-now").click(), document.getElementById("tab-now").focus()`)
	for _, step := range []struct{ key, shown string }{
		{arrowRight, "time"}, {arrowRight, "clients"}, {homeKey, "now"}, {arrowLeft, "calls"}, {arrowRight, "now"}, {endKey, "calls"}, {homeKey, "now"},
	} {
		p.press(t, step.key)
		p.becomes(t, `document.activeElement.getAttribute("aria-controls")`, "view-"+step.shown)
		p.becomes(t, `[...document.querySelectorAll("[role=tabpanel]")].filter((s) => s.checkVisibility()).map((s) => s.id).join()`, "view-"+step.shown)
		p.becomes(t, `getComputedStyle(document.activeElement).outlineStyle`, "solid")
	}
}

// faint finds text with too little contrast for WCAG 2.2 AA (1.4.3): under
// 4.5, or under 3 where it is large.
const faint = `(() => {
	const channels = (c) => c.startsWith("color(srgb") ? c.match(/[\d.]+/g).map((v, i) => i < 3 ? v * 255 : +v) : (c.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
	const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((n, v, i) => n + v * [0.2126, 0.7152, 0.0722][i], 0);
	const ground = (e) => { for (; e; e = e.parentElement) { const c = channels(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
	const bad = new Set();
	for (const e of document.querySelectorAll("body *")) {
		if (!e.checkVisibility({opacityProperty: true, visibilityProperty: true}) || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
		const s = getComputedStyle(e), a = light(channels(s.color)), b = light(ground(e));
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), size = parseFloat(s.fontSize);
		if (ratio < (size >= 24 || size >= 18.7 && s.fontWeight >= 700 ? 3 : 4.5)) bad.add(e.tagName + "." + e.className + " " + ratio.toFixed(1) + ": " + e.textContent.slice(0, 30));
	}
	return [...bad].join("\n");
})()`

func inEveryLight(t *testing.T, p *tab) {
	dir := os.Getenv("FLYBALL_SCREENSHOTS")
	if dir == "" {
		dir = t.ArtifactDir()
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Logf("screenshots are in %s", dir)
	for _, look := range []struct {
		name, scheme string
		width        int64
	}{{"light", "light", 1280}, {"dark", "dark", 1280}, {"phone", "light", 360}} {
		p.look(t, look.width, look.scheme)
		for _, view := range []string{"now", "time", "clients", "calls"} {
			eval[any](t, p, `document.getElementById("tab-`+view+`").click()`)
			p.becomes(t, `document.getElementById("view-`+view+`").checkVisibility() && document.documentElement.scrollWidth <= `+fmt.Sprint(look.width), "true")
			if bad := eval[string](t, p, faint); bad != "" {
				t.Errorf("%s, %s: too faint to read:\n%s", view, look.name, bad)
			}
			p.shoot(t, dir, view+"-"+look.name)
		}
	}
	// The check sees faint text where there is some.
	eval[any](t, p, `document.querySelector("#view-calls h2").style.color = "#bbb"`)
	if eval[string](t, p, faint) == "" {
		t.Error("the check for contrast sees nothing")
	}
	eval[any](t, p, `document.querySelector("#view-calls h2").style.color = ""`)
}

func throughARestart(t *testing.T, p *tab, d *desk) {
	eval[any](t, p, `window.neverReloaded = true, document.getElementById("tab-now").click()`)
	d.stop()
	p.becomes(t, `/^Connection lost since .+ Trying again by itself\./.test(document.getElementById("banner").textContent)`, "true")
	p.becomes(t, `document.getElementById("banner").checkVisibility()`, "true")
	d.serve(t, strings.TrimPrefix(d.admin, "http://"))
	for range 5 {
		d.call(t, "crm", "normal", "/api/v2/users/1.json", "wait=50")
	}
	p.becomes(t, figure(`#view-now [data-figure="sends"]`), "5")
	p.becomes(t, `document.getElementById("banner").checkVisibility()`, "false")
	p.becomes(t, `window.neverReloaded`, "true")
}

// Where the admin address has a token the page asks for it, keeps it for the
// tab, and shows nothing before.
func TestTheDashboardAsksForTheToken(t *testing.T) {
	t.Parallel()
	p := newTab(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("open sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, "--admin-token-file", file)
	d.call(t, "crm", "normal", "/api/v2/users/1.json", "wait=50")
	p.look(t, 360, "dark")
	p.open(t, d.admin+"/")
	p.becomes(t, `document.getElementById("ask").checkVisibility()`, "true")
	give := func(token string) {
		eval[any](t, p, fmt.Sprintf(`document.getElementById("token").value = %q, document.querySelector("#ask button").click()`, token))
	}
	give("guess")
	p.becomes(t, `document.getElementById("wrong").textContent`, "That is not this address's token.")
	if shown := eval[string](t, p, `document.getElementById("account").textContent`); shown != "" {
		t.Errorf("without the token the page shows %q", shown)
	}
	give("open sesame")
	p.becomes(t, figure(`#view-now [data-figure="sends"]`), "1")
	p.open(t, d.admin+"/#clients") // the tab remembers
	p.becomes(t, cell("crm", "sends"), "1")
	if kept := eval[string](t, p, `JSON.stringify([localStorage.length, document.cookie])`); kept != `[0,""]` {
		t.Errorf("the page keeps %s beside the tab's own store", kept)
	}
	if errs := p.errs("401 (Unauthorized)"); len(errs) > 0 {
		t.Errorf("the console shows %q", errs)
	}
}
