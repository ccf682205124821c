package gateway

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
)

// TLSListener returns l behind TLS 1.2 or later, with HTTP/2 offered, showing
// the certificate chain in certFile with the key in keyFile, both PEM. The
// error names the file that is wrong and the way out; l then stays open.
func TLSListener(l net.Listener, certFile, keyFile string) (net.Listener, error) {
	pair, err := readPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	return tls.NewListener(l, &tls.Config{
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
		Certificates: []tls.Certificate{pair},
	}), nil
}

func readPair(certFile, keyFile string) (tls.Certificate, error) {
	chain, err := readPEM("certificate", certFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := readPEM("key", keyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("use TLS certificate %s with key %s: %w; both must be PEM and belong together, the server's certificate first in its file", certFile, keyFile, err)
	}
	return pair, nil
}

func readPEM(what, file string) ([]byte, error) {
	if file == "" {
		return nil, fmt.Errorf("TLS %s: no file named; TLS needs a certificate and its key", what)
	}
	text, err := os.ReadFile(file)
	if err == nil {
		return text, nil
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return nil, fmt.Errorf("read TLS %s %s: %w; check the path, and that this user may read it", what, file, err)
}
