package e2e

import (
	"context"
	"fmt"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"
)

// devTools are Chromium's own developer tools, which watch a tab.
type devTools struct{ tab *tab }

// watched waits until the tools note the tab's requests: what they ask the tab
// after that is answered after that.
const watched = `(async () => {
	const sdk = await import("./core/sdk/sdk.js");
	await import("./models/logs/logs.js");
	for (const end = performance.now() + 20000; performance.now() < end; await new Promise((r) => setTimeout(r, 20))) {
		const target = sdk.TargetManager.TargetManager.instance().primaryPageTarget();
		if (!target?.model(sdk.NetworkManager.NetworkManager)) continue;
		await target.runtimeAgent().invoke_evaluate({expression: "1"});
		return true;
	}
	return false;
})()`

// exported is what the menu of the Network panel does: "Export HAR", without
// and with what may be secret. No switch of Chromium writes a HAR
// (--log-net-log is another format): its tools alone do.
const exported = `(async () => {
	const [logs, har, common] = await Promise.all(["models/logs/logs.js", "models/har/har.js", "core/common/common.js"].map((m) => import("./" + m)));
	let text = "";
	await har.Writer.Writer.write({write: async (part) => { text += part }}, logs.NetworkLog.NetworkLog.instance().requests(),
		{sanitize: %t}, new common.Progress.Progress());
	return text;
})()`

// newWatchedTab opens a page and, in another tab, the developer tools that
// watch it from then on. Chromium serves them, as a page, where it can be
// debugged.
func newWatchedTab(t *testing.T, page string) (*tab, devTools) {
	t.Helper()
	var at *url.URL // where Chromium can be debugged
	dial := func(ctx context.Context, address string) (_ chromedp.Transport, err error) {
		if at, err = url.Parse(address); err != nil {
			return nil, err
		}
		return remote.DialContext(ctx, address)
	}
	p := newTab(t, chromedp.WithDialer(dial), chromedp.Flag("remote-allow-origins", "*"))
	p.open(t, page)
	ctx, leave := chromedp.NewContext(p.ctx)
	t.Cleanup(leave)
	d := devTools{&tab{ctx: ctx}}
	d.tab.open(t, fmt.Sprintf("http://%s/devtools/devtools_app.html?ws=%[1]s/devtools/page/%s", at.Host, chromedp.FromContext(p.ctx).Target.TargetID))
	if !eval[bool](t, d.tab, watched) {
		t.Fatal("the developer tools do not watch the tab")
	}
	return p, d
}

// har is what was recorded of the tab.
func (d devTools) har(t *testing.T, sanitized bool) []byte {
	t.Helper()
	return []byte(eval[string](t, d.tab, fmt.Sprintf(exported, sanitized)))
}
