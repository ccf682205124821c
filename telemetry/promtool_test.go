package telemetry_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/telemetry"
)

// promtool runs Prometheus's own checker, or skips where it is not installed.
func promtool(t *testing.T, stdin string, args ...string) {
	t.Helper()
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed (Debian: apt-get install prometheus): what it would check is not checked")
	}
	cmd := exec.CommandContext(t.Context(), tool, args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil || len(strings.TrimSpace(string(out))) > 0 && strings.Contains(args[0]+args[1], "metrics") {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// exercised returns metrics in which every name has a figure.
func exercised() *telemetry.Metrics {
	m := telemetry.New(telemetry.Options{Snapshot: func() limit.Snapshot {
		snap := crowdedSnapshot()
		snap.Saved = []limit.Saving{{Cause: limit.Cached, Calls: 2, Sends: 2}}
		return snap
	}})
	c := call("crm", "/api/v2/job_statuses/7.json")
	for kind := event.Held; kind <= event.Done; kind++ {
		m.Sink()(event.Event{Kind: kind, Call: c, Status: 200, Cause: limit.Cached})
	}
	return m
}

func TestPromtoolAcceptsTheMetrics(t *testing.T) {
	var ours []string
	for line := range strings.Lines(scrape(t, exercised())) {
		if strings.Contains(line, "flyball_") {
			ours = append(ours, line)
		}
	}
	promtool(t, strings.Join(ours, ""), "check", "metrics")
}
