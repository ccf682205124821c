package admission

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flyballhq/flyball/budget"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

// A call's second send is its own: what the transport tells of it is not taken
// for a hidden repeat of the first. The caller's own trace hears of both.
func TestEachSendOfACallHasItsOwnSteps(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	var kinds [event.Learned + 1]atomic.Int32
	c := New(Options{Provider: zendesk.New(0), Budget: budget.Options{Seed: 1}, Sink: func(e event.Event) { kinds[e.Kind].Add(1) }})
	base := &http.Transport{}
	defer base.CloseIdleConnections()

	var heard [6]atomic.Int32
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GetConn:              func(string) { heard[0].Add(1) },
		GotConn:              func(httptrace.GotConnInfo) { heard[1].Add(1) },
		WroteHeaders:         func() { heard[2].Add(1) },
		GotFirstResponseByte: func() { heard[3].Add(1) },
		Got1xxResponse:       got1xx(&heard[4]),
		WroteRequest:         func(httptrace.WroteRequestInfo) { heard[5].Add(1) },
	})
	req, _ := http.NewRequestWithContext(ctx, "GET", server.URL+"/api/v2/users/1", nil)
	call := &limit.Call{Arrived: time.Now(), Route: zendesk.New(0).Route(req)}
	req = req.WithContext(c.Begin(ctx, call))
	for n := range int32(2) {
		resp, err := c.Layer()(base).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		for i := range heard {
			if got := heard[i].Load(); got != n+1 {
				t.Errorf("after send %d the caller's hook %d was called %d times", n+1, i, got)
			}
		}
	}
	if sent, extra := kinds[event.Sent].Load(), kinds[event.Extra].Load(); sent != 2 || extra != 0 {
		t.Errorf("%d sent and %d hidden sends, want 2 and 0", sent, extra)
	}
}

func got1xx(n *atomic.Int32) func(int, textproto.MIMEHeader) error {
	return func(int, textproto.MIMEHeader) error {
		n.Add(1)
		return nil
	}
}

// What a context carried besides a call and its trace is still there below,
// and its end ends the send.
func TestABegunContextIsStillTheCallers(t *testing.T) {
	type key struct{}
	c := New(Options{Provider: zendesk.New(0)})
	parent, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "kept"))
	call := &limit.Call{}
	ctx := c.Begin(parent, call)
	child, stop := context.WithCancel(ctx)
	defer stop()
	if got := fmt.Sprint(child.Value(key{})); got != "kept" || limit.CallFrom(child) != call {
		t.Errorf("the context below carries %q and the call %p, want %p", got, limit.CallFrom(child), call)
	}
	cancel()
	if ctx.Err() == nil || child.Err() == nil {
		t.Error("the context goes on after the caller's has ended")
	}
}
