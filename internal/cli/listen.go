package cli

import (
	"context"
	"errors"
	"net"
	"strconv"
	"syscall"
)

// listen opens a listener at address, HOST:PORT. An empty host is refused: it
// would mean every interface, which must be said (0.0.0.0 or [::]).
func listen(ctx context.Context, flag, address string) (net.Listener, error) {
	if err := checkAddress(flag, address); err != nil {
		return nil, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, listenError(flag, address, err)
	}
	return l, nil
}

func checkAddress(flag, address string) error {
	host, port, err := net.SplitHostPort(address)
	if n, perr := strconv.Atoi(port); err != nil || perr != nil || n < 0 || n > 65535 {
		return wrongf("%s %q is not HOST:PORT (write 127.0.0.1:4290, or 127.0.0.1:0 for any free port)", flag, address)
	}
	if host == "" {
		return wrongf("%s %q names no host (write 127.0.0.1:%s, or 0.0.0.0:%s to be reached from other machines)", flag, address, port, port)
	}
	return nil
}

type listenFailure struct {
	flag, address string
	err           error
}

func listenError(flag, address string, err error) error { return &listenFailure{flag, address, err} }

func (e *listenFailure) Error() string {
	text := "cannot listen on " + e.address
	switch {
	case errors.Is(e.err, syscall.EADDRINUSE):
		return text + ": the port is in use (end the program that has it, or choose another with " + e.flag + "; port 0 takes any free one)"
	case errors.Is(e.err, syscall.EACCES):
		return text + ": not permitted (ports below 1024 need a right of their own; choose a higher one with " + e.flag + ")"
	case errors.Is(e.err, syscall.EADDRNOTAVAIL):
		return text + ": this machine has no such address (choose another with " + e.flag + ")"
	}
	var op *net.OpError
	if errors.As(e.err, &op) {
		return text + ": " + op.Err.Error() + " (choose another address with " + e.flag + ")"
	}
	return text + ": " + e.err.Error() + " (choose another address with " + e.flag + ")"
}

func (e *listenFailure) Unwrap() error { return e.err }

// isLoopback reports whether only this machine reaches address.
func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
