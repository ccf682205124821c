package cli

import (
	"net"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Behaviour H1: every address a command listens on by default is a loopback one
func TestCommandsListenOnLoopbackUnlessTold(t *testing.T) {
	for _, fault := range openDefaults(commands(Streams{})) {
		t.Error(fault)
	}
	// The faulty twin listens everywhere, as programs do that know only a port.
	var address string
	twin := &cobra.Command{Use: "twin"}
	twin.Flags().StringVar(&address, "listen", ":4290", "")
	if openDefaults([]*cobra.Command{twin}) == nil {
		t.Error("a command that listens on :4290 by default passes the check")
	}
}

// openDefaults names the flags whose default address other machines reach.
func openDefaults(commands []*cobra.Command) (faults []string) {
	for _, cmd := range commands {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			host, _, err := net.SplitHostPort(f.DefValue)
			if err != nil {
				return // no address
			}
			if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
				faults = append(faults, cmd.Name()+" --"+f.Name+" is "+f.DefValue+" by default, want a loopback address")
			}
		})
	}
	return faults
}

func TestAnAddressWithoutHostIsRefused(t *testing.T) {
	l, err := listen(t.Context(), "--listen", ":0")
	if err == nil {
		l.Close()
		t.Fatal("listen(:0) listens on every interface, want an error")
	}
	if statusOf(err) != exitWrong || !strings.Contains(err.Error(), "names no host") {
		t.Errorf("listen(:0): %v (status %d), want a wrong call that says it names no host", err, statusOf(err))
	}
}
