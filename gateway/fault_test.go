package gateway_test

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/limit"
)

// answers plays a server that answers each connection with text, whatever it
// is asked, and closes it.
func answers(t *testing.T, text string) *url.URL {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(patience))
				_, _ = conn.Read(make([]byte, 4096))
				_, _ = io.WriteString(conn, text)
			}()
		}
	}()
	return parse(t, "http://"+l.Addr().String())
}

func closedPort(t *testing.T) *url.URL {
	t.Helper()
	s := httptest.NewServer(http.NotFoundHandler())
	u := parse(t, s.URL)
	s.Close()
	return u
}

func TestEachFaultOfTheAccountIsNamedWithTheWayOut(t *testing.T) {
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	t.Cleanup(secure.Close)
	plain := upstream(t, func(http.ResponseWriter, *http.Request) {})
	tests := []struct {
		name    string
		account *url.URL
		status  int
		error   string
		says    string
	}{
		{"a host that does not resolve", parse(t, "https://no-such-account.invalid"), 502, "dns_error", "check the account's name"},
		{"nobody listening", closedPort(t), 502, "connection_refused", "check the address and port"},
		{"something that is not HTTP", answers(t, "SSH-2.0-OpenSSH_9.2\r\n"), 502, "http_protocol_error", "does not speak HTTP"},
		{"garbage in the header", answers(t, "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"), 502, "http_protocol_error", "does not speak HTTP"},
		{"a status that is no number", answers(t, "HTTP/1.1 abc OK\r\n\r\n"), 502, "http_protocol_error", "does not speak HTTP"},
		{"a length that is no number", answers(t, "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"), 502, "http_protocol_error", "does not speak HTTP"},
		{"an upgrade that nobody asked for", answers(t, "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"), 502, "http_protocol_error", "does not speak HTTP"},
		{"a connection closed at once", answers(t, ""), 502, "connection_terminated", "may have been carried out"},
		{"a header cut in the middle", answers(t, "HTTP/1.1 200 OK\r\nContent-Type: text"), 502, "connection_terminated", "may have been carried out"},
		{"10 MB of header", answers(t, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 10<<20)+"\r\n\r\n"), 502, "http_response_header_section_size", "more than 1 MiB of header"},
		{"http to a TLS port", parse(t, strings.Replace(secure.URL, "https", "http", 1)), 400, "", ""}, // Go's own server answers in plain words
		{"TLS to an http port", parse(t, strings.Replace(plain.String(), "http", "https", 1)), 502, "tls_protocol_error", "use http://"},
		{"a certificate nobody trusts", parse(t, secure.URL), 502, "tls_certificate_error", "SSL_CERT_FILE"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := start(t, gateway.Options{Upstream: test.account})
			resp, text := get(t, g.url+"/api/v2/tickets")
			if resp.StatusCode != test.status {
				t.Fatalf("got %d %s, want %d", resp.StatusCode, text, test.status)
			}
			if test.error == "" {
				return
			}
			if got, want := resp.Header.Get("Proxy-Status"), "flyball; error="+test.error+";"; !strings.HasPrefix(got, want) {
				t.Errorf("Proxy-Status = %q, want %s", got, want)
			}
			var body struct{ Error, Description string }
			if err := json.Unmarshal([]byte(text), &body); err != nil || body.Error != "FlyballUpstreamFailed" {
				t.Errorf("body %s is not the envelope: %v", text, err)
			}
			if !strings.Contains(body.Description, test.says) || !strings.Contains(body.Description, test.account.Host) {
				t.Errorf("description %q, want %q and the host in it", body.Description, test.says)
			}
			g.log.wait(t, test.says)
			if err := g.stop(); err != nil {
				t.Errorf("Serve = %v, want nil", err)
			}
		})
	}
}

func TestOptionsNameWhatIsWrong(t *testing.T) {
	ok := roundTrip(func(*http.Request) (*http.Response, error) { return nil, io.EOF })
	account := parse(t, "https://acme.zendesk.com")
	tests := []struct {
		name string
		opts gateway.Options
		want string
	}{
		{"no upstream", gateway.Options{Transport: ok}, "gateway.Upstream"},
		{"no transport", gateway.Options{Upstream: account}, "gateway.Transport"},
		{"an upstream with a path", gateway.Options{Upstream: parse(t, "https://acme.zendesk.com/api/v2"), Transport: ok}, "gateway.Upstream"},
		{"an upstream that is a name", gateway.Options{Upstream: parse(t, "acme"), Transport: ok}, "gateway.Upstream"},
		{"an upstream with a password", gateway.Options{Upstream: parse(t, "https://me:s3cret@acme.zendesk.com"), Transport: ok}, "gateway.Upstream"},
		{"a shape that is not one", gateway.Options{Upstream: account, Transport: ok, GiveUp: 500}, "gateway.GiveUp"},
		{"a negative bound", gateway.Options{Upstream: account, Transport: ok, MaxBodyBytes: -1}, "gateway.MaxBodyBytes"},
		{"a public URL that is a name", gateway.Options{Upstream: account, Transport: ok, PublicURL: parse(t, "proxy")}, "gateway.PublicURL"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := gateway.New(test.opts)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("New = %v, want an error that names %s and no password", err, test.want)
			}
		})
	}
}

func TestTLSErrorsNameTheFileAndTheWayOut(t *testing.T) {
	cert, key := selfSigned(t)
	_, otherKey := selfSigned(t)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(t.TempDir(), "missing.pem")
	for _, test := range []struct{ name, cert, key, file, says string }{
		{"no certificate", missing, key, missing, "check the path"},
		{"no key", cert, missing, missing, "check the path"},
		{"a folder", filepath.Dir(cert), key, filepath.Dir(cert), "check the path"},
		{"no name", cert, "", "key", "no file named"},
		{"not PEM", empty, key, empty, "must be PEM"},
		{"the key of another", cert, otherKey, otherKey, "belong together"},
		{"the two exchanged", key, cert, key, "must be PEM"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := gateway.TLSListener(nil, test.cert, test.key)
			if err == nil || !strings.Contains(err.Error(), test.file) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("TLSListener = %v, want %q and %q in it", err, test.file, test.says)
			}
		})
	}
}

func TestAnAddressInUseIsNamed(t *testing.T) {
	l, err := gateway.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = gateway.Listen(t.Context(), l.Addr().String())
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) || !strings.Contains(err.Error(), "port 0") {
		t.Errorf("Listen = %v, want the address and the way out", err)
	}
}

// The secrets that must never be seen again, in the forms that Zendesk gives
// them out.
var secrets = map[string]string{
	"an API token":        "6wiIBWbGkBMo1mRDMuVwkw1EPsNkeUj95PIz2akv",
	"an OAuth token":      "52d7ef4ee01e2c2c75bff572f957cd4f12d6225eee07ea7f4c3f5a1c3b2d9e10",
	"a Basic credential":  "YWdlbnRAYWNtZS5leGFtcGxlL3Rva2VuOjZ3aUlCV2JHa0JNbzFtUkRNdVZ3a3cxRVBzTg==",
	"an attachment token": "tkn_hFV7pQ2xZ9Lb4RcW",
	"a session cookie":    "BAh7CEkiD3Nlc3Npb25faWQGOgZFVEki",
	"a short password":    "hunter2",
}

// Behaviour H5: secrets never reach the log, nor an answer that flyball makes
func TestSecretsAreNeverLogged(t *testing.T) {
	check := func(serve func(log *slog.Logger, transport http.RoundTripper) string) error {
		var faults []error
		for name, secret := range secrets {
			log := &record{}
			logger := slog.New(slog.NewTextHandler(log, nil))
			address := serve(logger, troubled(secret))
			for _, path := range []string{"/refused", "/failed", "/panicked", "/attachments/token/" + secret, "/cut"} {
				req := request(t, http.MethodGet, address+path+"?access_token="+secret+"&password="+secret, nil,
					"Cookie", "_zendesk_session="+secret, "User-Agent", "job")
				req.SetBasicAuth("agent@acme.example/token", secret)
				if resp, err := client(t).Do(req); err == nil {
					text, _ := io.ReadAll(resp.Body)
					_ = resp.Body.Close()
					if resp.StatusCode >= 500 && strings.Contains(string(text), secret) {
						faults = append(faults, errors.New(name+" in the answer to "+path))
					}
				}
			}
			sink := gateway.LogSink(logger)
			sink.Emit(event.Event{Kind: event.Refused, Call: &limit.Call{Client: "job"}, Text: "bad token " + secret})
			if strings.Contains(log.String(), secret) {
				faults = append(faults, errors.New(name+" in the log: "+log.String()))
			}
			if !strings.Contains(log.String(), "/failed") {
				faults = append(faults, errors.New("the log says nothing at all"))
			}
		}
		return errors.Join(faults...)
	}
	account := parse(t, "https://acme.example")
	if err := check(func(log *slog.Logger, transport http.RoundTripper) string {
		return start(t, gateway.Options{Upstream: account, Transport: transport, Log: log}).url
	}); err != nil {
		t.Error(err)
	}
	twin := func(log *slog.Logger, transport http.RoundTripper) string {
		p := plainProxy(account)
		// Silent about panics only to keep the test's output short.
		p.Transport = roundTrip(func(req *http.Request) (*http.Response, error) {
			if req.URL.Path == "/panicked" {
				return nil, io.EOF
			}
			return transport.RoundTrip(req)
		})
		p.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err error) {
			log.Error("proxy error", "url", r.URL.String(), "error", err)
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
		return naive(t, p)
	}
	if err := check(twin); err == nil {
		t.Error("the check passes a gateway that logs URLs and errors as they are")
	}
}

// troubled is a transport whose every answer and error repeats secret.
func troubled(secret string) http.RoundTripper {
	return roundTrip(func(req *http.Request) (*http.Response, error) {
		switch req.URL.Path {
		case "/refused":
			return nil, waitError(time.Minute)
		case "/failed":
			return nil, &url.Error{Op: "Get", URL: req.URL.String(), Err: errors.New("header Authorization: Basic " + secret + " was refused by https://proxy:" + secret + "@proxy.example")}
		case "/panicked":
			panic("no idea what to do with token=" + secret)
		case "/cut":
			return &http.Response{StatusCode: 200, Header: http.Header{}, Request: req, Body: io.NopCloser(io.MultiReader(strings.NewReader("half"), broken{secret}))}, nil
		default:
			return nil, errors.New("Get " + req.URL.String() + ": token " + secret)
		}
	})
}

// broken is a body that ends in an error.
type broken struct{ secret string }

func (b broken) Read([]byte) (int, error) {
	return 0, errors.New("read https://user:" + b.secret + "@host/?token=" + b.secret)
}
