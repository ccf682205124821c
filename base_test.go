package flyball_test

import (
	"net/http"
	"testing"

	"github.com/flyballhq/flyball"
)

// Programs wrap http.DefaultTransport to trace calls.
func TestAReplacedDefaultTransportIsUsed(t *testing.T) {
	standard := http.DefaultTransport
	defer func() { http.DefaultTransport = standard }()
	used := false
	http.DefaultTransport = roundTripper(func(req *http.Request) (*http.Response, error) {
		used = true
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: req}, nil
	})
	transport, err := flyball.New(flyball.Options{Account: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	defer transport.Close()
	resp, err := (&http.Client{Transport: transport}).Get("https://acme.zendesk.com" + user(1))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if !used {
		t.Error("the call went past what the program put in place")
	}
}
