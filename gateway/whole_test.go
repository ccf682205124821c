package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/gateway"
)

func TestLargeAnswersPassInConstantMemory(t *testing.T) {
	const size = 100 << 20
	for _, kind := range []string{"application/octet-stream", "application/json"} {
		t.Run(kind, func(t *testing.T) {
			account := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", kind)
				_, _ = io.WriteString(w, `{"next_page":null,"tickets":["`)
				page := []byte(strings.Repeat("words of a ticket ", 4096))
				for sent := 0; sent < size; sent += len(page) {
					if _, err := w.Write(page); err != nil {
						return
					}
				}
				_, _ = io.WriteString(w, `"]}`)
			})
			g := start(t, gateway.Options{Upstream: account})
			resp, err := client(t).Do(request(t, http.MethodGet, g.url+"/api/v2/incremental/tickets", nil))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			before, most, read := heap(), int64(0), int64(0)
			for {
				n, err := io.CopyN(io.Discard, resp.Body, 10<<20)
				read += n
				most = max(most, heap()-before)
				if err != nil {
					break
				}
			}
			if read < size || most > 4<<20 {
				t.Errorf("%d MiB came and the heap grew by %d KiB, want %d MiB within 4096 KiB", read>>20, most>>10, size>>20)
			}
		})
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("calls of all kinds", func(t *testing.T) {
		release := make(chan struct{})
		cut := cutting(t)
		account := upstream(t, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/chunked", "/sized":
				cut(w, r)
			case "/slow":
				select {
				case <-release:
				case <-r.Context().Done():
				}
			}
		})
		defer close(release)
		g := start(t, gateway.Options{Upstream: account, MaxBodyBytes: 10, Stall: 100 * time.Millisecond})
		for range 10 {
			get(t, g.url)
			_ = checkCut(t, g.url+"/chunked")
			_ = checkCut(t, g.url+"/sized")
			do(t, client(t), request(t, http.MethodPost, g.url, strings.NewReader("longer than that")))
			ctx, leave := context.WithTimeout(t.Context(), 10*time.Millisecond)
			_, err := fetch(ctx, g.url+"/slow")
			leave()
			if err == nil {
				t.Error("the slow call was answered")
			}
		}
		if err := g.stop(); err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
	})
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if !empties(func() int { return max(0, runtime.NumGoroutine()-before) }, patience) {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
	}
}

// A gateway in front of an account. Here the account is a made-up transport;
// in a program it is a flyball.Transport whose Base is [gateway.Base].
func ExampleNew() {
	account := roundTrip(func(req *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK, Request: req, ContentLength: -1, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(`{"next_page":"https://acme.zendesk.com/api/v2/tickets.json?page=2"}`)),
		}, nil
	})
	acme := mustParse("https://acme.zendesk.com")
	g, err := gateway.New(gateway.Options{Upstream: acme, Transport: account, MaxWait: 8 * time.Second})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	listener, err := gateway.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	ended := make(chan error, 1)
	go func() { ended <- g.Serve(ctx, listener) }()

	address := "http://" + listener.Addr().String()
	resp, err := http.Get(address + "/api/v2/tickets.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	page, _ := io.ReadAll(resp.Body)
	fmt.Println(strings.ReplaceAll(string(page), address, "GATEWAY"))

	stop()
	fmt.Println("drained:", <-ended == nil)
	// Output:
	// {"next_page":"GATEWAY/api/v2/tickets.json?page=2"}
	// drained: true
}
