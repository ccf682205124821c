package cli

import (
	"slices"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flyballhq/flyball/config"
)

// What a flag of flyball serve says, a file can say too, and the reverse: no
// key names a flag that is not there.
func TestEachFlagOfServeIsAKeyOfTheFile(t *testing.T) {
	notInFile := []string{"config", "observe", "help"} // which file; what to do this once
	var known []string
	for _, k := range config.Keys() {
		if k.Flag != "" {
			known = append(known, k.Flag)
		}
	}
	var f serveFlags
	cmd := new(cobra.Command)
	f.register(cmd)
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if i := slices.Index(known, f.Name); i >= 0 {
			known = slices.Delete(known, i, i+1)
		} else if !slices.Contains(notInFile, f.Name) {
			t.Errorf("no key of the file says what --%s says", f.Name)
		}
	})
	for _, name := range known {
		t.Errorf("a key of the file names --%s, which flyball serve does not have", name)
	}
}

// A flag's default is that of the file's key.
func TestTheFlagsDefaultsAreTheFiles(t *testing.T) {
	var f serveFlags
	cmd := new(cobra.Command)
	f.register(cmd)
	var flags []config.Flag
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" {
			flags = append(flags, config.Flag{Name: f.Name, Value: f.DefValue})
		}
	})
	said, err := config.Load(config.Source{Account: "acme", Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	silent, err := config.Load(config.Source{Account: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	got, want := said.Gateway(), silent.Gateway()
	if got.MaxWait != want.MaxWait || got.GiveUp != want.GiveUp || got.DrainTimeout != want.DrainTimeout || got.RewriteLinks != want.RewriteLinks ||
		said.Listen != silent.Listen || said.Admin.Listen != silent.Admin.Listen || said.Transport().Window != silent.Transport().Window {
		t.Errorf("with each flag at its default: %+v\nwithout flags: %+v", got, want)
	}
}
