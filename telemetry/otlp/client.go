package otlp

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
)

// A client posts one signal to a collector.
type client struct {
	http   *http.Client
	url    string
	header http.Header
	gzips  bool
}

// newClient reads what the specification's variables say of a signal, TRACES
// or METRICS; those of the signal go over those of all.
func newClient(env func(string) string, signal string) (*client, error) {
	read := func(name string) string {
		return cmp.Or(env("OTEL_EXPORTER_OTLP_"+signal+"_"+name), env("OTEL_EXPORTER_OTLP_"+name))
	}
	c := &client{gzips: read("COMPRESSION") == "gzip", header: http.Header{}}
	var errs [4]error
	c.url, errs[0] = endpoint(env, signal)
	errs[1] = c.readHeaders(read("HEADERS"))
	wait, err := timeout(read("TIMEOUT"))
	errs[2] = err
	secure, err := certificates(read)
	errs[3] = err
	transport := http.DefaultTransport.(*http.Transport).Clone() // a program's own one may lead back here
	transport.TLSClientConfig = secure
	c.http = &http.Client{Transport: transport, Timeout: wait}
	return c, errors.Join(errs[:]...)
}

// endpoint is where a signal goes: the one for all gets a path of the signal.
func endpoint(env func(string) string, signal string) (string, error) {
	name := "OTEL_EXPORTER_OTLP_" + signal + "_ENDPOINT"
	to := env(name)
	if to == "" {
		name = "OTEL_EXPORTER_OTLP_ENDPOINT"
		to = strings.TrimSuffix(cmp.Or(env(name), "http://localhost:4318"), "/") + "/v1/" + strings.ToLower(signal)
	}
	u, err := url.Parse(to)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%s: it is not a URL such as http://127.0.0.1:4318", name)
	}
	return to, nil
}

// readHeaders reads api-key=abc,x=y with the values escaped as in a URL.
func (c *client) readHeaders(text string) error {
	for pair := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || err != nil {
			return errors.New("OTEL_EXPORTER_OTLP_HEADERS: write name=value,name=value with values escaped as in a URL")
		}
		c.header.Set(strings.TrimSpace(name), value)
	}
	return nil
}

func timeout(text string) (time.Duration, error) {
	if text == "" {
		return 10 * time.Second, nil
	}
	ms, err := strconv.Atoi(text)
	if err != nil || ms <= 0 {
		return 0, fmt.Errorf("OTEL_EXPORTER_OTLP_TIMEOUT=%s: it is not a number of milliseconds", text)
	}
	return time.Duration(ms) * time.Millisecond, nil
}

// certificates reads the collector's authority and our own certificate.
func certificates(read func(string) string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if file := read("CERTIFICATE"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CERTIFICATE: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CERTIFICATE: %s holds no PEM certificate", file)
		}
	}
	if file := read("CLIENT_CERTIFICATE"); file != "" {
		pair, err := tls.LoadX509KeyPair(file, read("CLIENT_KEY"))
		if err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// tries is how often one batch is posted to a collector that is busy.
const tries = 4

// post sends one message, again when the collector asks for that, until ctx
// ends.
func (c *client) post(ctx context.Context, message proto.Message) error {
	text, err := proto.Marshal(message)
	if err == nil && c.gzips {
		text, err = gzipped(text)
	}
	if err != nil {
		return fmt.Errorf("encode for the collector: %w", err)
	}
	for try := 1; ; try++ {
		wait, err := c.try(ctx, text)
		if err == nil || wait == 0 || try == tries {
			return err
		}
		select {
		case <-time.After(wait << (try - 1)):
		case <-ctx.Done():
			return err
		}
	}
}

// try posts once. wait is how long to wait before another try, 0 for none.
func (c *client) try(ctx context.Context, text []byte) (wait time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(text))
	if err != nil {
		return 0, err
	}
	for name, values := range c.header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	if c.gzips {
		req.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return time.Second, fmt.Errorf("post to the collector: %w", err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return max(time.Second, min(time.Duration(seconds)*time.Second, 30*time.Second)), fmt.Errorf("the collector answered %s", resp.Status)
	}
	if resp.StatusCode/100 != 2 {
		return 0, fmt.Errorf("the collector answered %s", resp.Status)
	}
	return 0, nil
}

func gzipped(text []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(text)
	err = errors.Join(err, w.Close())
	return b.Bytes(), err
}
