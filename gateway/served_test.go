package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/gateway"
)

// told starts a gateway that tells of each call at its end.
func told(t *testing.T, account http.HandlerFunc, opts gateway.Options) (*running, chan event.Served) {
	t.Helper()
	opts.Upstream = upstream(t, account)
	transport, err := flyball.New(flyball.Options{Account: opts.Upstream.String(), Base: gateway.Base(opts.Upstream)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { transport.Close() })
	ends := make(chan event.Served, 16)
	opts.Transport, opts.OnServed = transport, func(s event.Served) { ends <- s }
	return start(t, opts), ends
}

func TestACallIsToldWithItsBytesWhenItsAnswerIsHandedOver(t *testing.T) {
	g, ends := told(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Rate-Limit", "700")
		w.Header().Set("X-Rate-Limit-Remaining", "698")
		w.Header().Set("Etag", `"abc"`)
		_, _ = io.WriteString(w, strings.Repeat("x", 100_000))
	}, gateway.Options{})
	get(t, g.url+"/api/v2/tickets/7.json?include=users", "Flyball-Client", "sync", "Flyball-Class", "bulk")
	s := within(t, ends, "end of the call")
	got := fmt.Sprintln(s.Client, s.Status, s.Bytes, s.Cut, s.Refused, s.Header.Get("Etag"), s.Request.URL, s.Receipt.Route, s.Receipt.Class, s.Receipt.Sends, s.Receipt.Limit, s.Receipt.Left)
	want := fmt.Sprintln("sync", 200, 100_000, false, "", `"abc"`, "/api/v2/tickets/7.json?include=users", "GET /api/v2/tickets/{id}", "bulk", 1, 700, 698)
	if got != want {
		t.Errorf("told %s want %s", got, want)
	}
	if s.Receipt.Upstream <= 0 || s.Took < s.Receipt.Upstream {
		t.Errorf("it took %s, %s of it at the account", s.Took, s.Receipt.Upstream)
	}
}

func TestACallIsToldOfHoweverItEnds(t *testing.T) {
	begun := make(chan struct{}, 1)
	g, ends := told(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			begun <- struct{}{}
			<-r.Context().Done()
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	}, gateway.Options{MaxBodyBytes: 10})
	for _, test := range []struct {
		path, body string
		leave      bool
		want       string
	}{
		{"/slow", "", true, "499 cut=true \"\" bytes=0 sends=1"},
		{"/cut", "", false, "200 cut=true \"\" bytes=4 sends=1"},
		{"/large", "more than ten bytes", false, "413 cut=false \"FlyballBodyTooLarge\" bytes="},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		req, _ := http.NewRequestWithContext(ctx, http.MethodPut, g.url+test.path, strings.NewReader(test.body))
		if test.leave {
			go func() { <-begun; cancel() }()
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		cancel()
		s := within(t, ends, "end of the call")
		got := fmt.Sprintf("%d cut=%t %q bytes=%d sends=%d", s.Status, s.Cut, s.Refused, s.Bytes, s.Receipt.Sends)
		if !strings.HasPrefix(got, test.want) {
			t.Errorf("%s is told as %s, want %s", test.path, got, test.want)
		}
	}
}
