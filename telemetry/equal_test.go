package telemetry_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/audit/accesslog"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/internal/rehearsal"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/telemetry"
)

// Every figure that is shown of ten thousand calls with retries, merges, hits,
// refusals and clients that leave is what the account and the clients saw.
func TestMetricsAndAccessLogEqualTheLedger(t *testing.T) {
	var truth *rehearsal.Truth
	var shown map[string]float64
	var log bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		metrics := telemetry.New(telemetry.Options{})
		access, err := telemetry.StreamAccessLog(&log, telemetry.AccessOptions{})
		if err != nil {
			t.Fatal(err)
		}
		n := 10_000
		if testing.Short() {
			n = 2000
		}
		truth, err = rehearsal.Run(t.Context(), rehearsal.Options{
			Seed: 5, Calls: n,
			OnEvent:  event.All(metrics.Sink(), access.Sink()),
			OnServed: func(s event.Served) { metrics.Served(s); access.Served(s) },
			Ready:    func(transport *flyball.Transport) { metrics.ReadSnapshot(transport.Snapshot) },
		})
		if err != nil {
			t.Fatal(err)
		}
		shown = series(t, scrape(t, metrics))
		if err := access.Close(); err != nil || access.Dropped() != 0 {
			t.Fatalf("Close = %v, %d lines lost", err, access.Dropped())
		}
	})
	compareMetrics(t, truth, shown)
	compareLog(t, truth, log.String())
}

// same reports a figure that differs.
func same[T int | int64 | float64](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func compareMetrics(t *testing.T, truth *rehearsal.Truth, shown map[string]float64) {
	t.Helper()
	same(t, "sends in the snapshot", truth.Snapshot.Sends, truth.Ledger.Sends)
	same(t, "flyball_sends_total", sum(shown, "flyball_sends_total"), float64(truth.Ledger.Sends))
	unheard := truth.Ledger.Cuts + truth.Ledger.Undecided // what the account answered and nobody waited for
	for status, n := range truth.Ledger.Status {
		heard := int(sum(shown, "flyball_sends_total", fmt.Sprintf("code=\"%d\"", status)))
		if unheard += n - heard; heard > n {
			t.Errorf("%d sends answered %d, and the account has answered %d", heard, status, n)
		}
	}
	same(t, "sends without an answer", int(sum(shown, "flyball_sends_total", `code="lost"`)), unheard)
	same(t, "refusals by the account", sum(shown, "flyball_refusals_total", `by="account"`), sum(shown, "flyball_sends_total", `code="429"`))
	same(t, "flyball_calls_total", sum(shown, "flyball_calls_total"), float64(truth.Calls))
	for client, n := range truth.ByClient {
		same(t, "calls of "+client, sum(shown, "flyball_calls_total", fmt.Sprintf("client=%q", client)), float64(n))
	}
	same(t, "calls that flyball refused", sum(shown, "flyball_calls_total", `outcome="gave_up"`), float64(truth.Refused["wait-too-long"]+truth.Refused["queue-full"]))
	same(t, "flyball_answer_bytes_total", sum(shown, "flyball_answer_bytes_total"), float64(truth.Bytes))
	same(t, "holds", sum(shown, "flyball_hold_seconds_count"), float64(truth.Calls))
	for _, cause := range []limit.Cause{limit.Cached, limit.Coalesced, limit.Merged, limit.Elided} {
		calls := sum(shown, "flyball_saved_calls_total", fmt.Sprintf("cause=%q", cause))
		if calls == 0 {
			t.Errorf("no call was saved by %s: the run shows nothing of it", cause)
		}
		for _, saving := range truth.Snapshot.Saved {
			if saving.Cause == cause {
				same(t, "calls saved by "+cause.String(), calls, float64(saving.Calls))
				same(t, "sends saved by "+cause.String(), sum(shown, "flyball_saved_sends_total", fmt.Sprintf("cause=%q", cause)), float64(max(saving.Sends, 0)))
			}
		}
	}
	for _, outcome := range []string{"answered", "rejected", "gave_up", "left"} {
		if sum(shown, "flyball_calls_total", fmt.Sprintf("outcome=%q", outcome)) == 0 {
			t.Errorf("no call was %s: the run shows nothing of it", outcome)
		}
	}
	if sum(shown, "flyball_retries_total") == 0 {
		t.Error("nothing was sent again: the run shows nothing of it")
	}
}

func compareLog(t *testing.T, truth *rehearsal.Truth, log string) {
	t.Helper()
	sends, calls, left, bytes, refused := 0, 0, 0, int64(0), 0
	byClient, byStatus, turned, saved := map[string]int{}, map[int]int{}, map[string]int{}, map[string]int{}
	for text := range strings.Lines(log) {
		var line accesslog.Line
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		sends += line.Sends
		if line.Msg != accesslog.Message {
			continue
		}
		calls++
		byClient[line.Client]++
		bytes += line.Bytes
		refused += line.Refused
		saved[line.Saved]++
		turned[line.Turned]++
		if line.Status == 499 {
			left++
		} else {
			byStatus[line.Status]++
		}
	}
	same(t, "lines of calls", calls, truth.Calls)
	same(t, "sends in the log", sends, truth.Ledger.Sends)
	same(t, "calls in the log whose clients left", left, truth.Left)
	same(t, "bytes in the log", bytes, truth.Bytes)
	for client, n := range truth.ByClient {
		same(t, "lines of "+client, byClient[client], n)
	}
	for status, n := range truth.ByStatus {
		same(t, "lines with status "+strconv.Itoa(status), byStatus[status], n)
	}
	for reason, n := range truth.Refused {
		same(t, "lines with "+reason, turned[reason], n)
	}
	for _, saving := range truth.Snapshot.Saved {
		same(t, "lines saved by "+saving.Cause.String(), saved[saving.Cause.String()], saving.Calls)
	}
}
