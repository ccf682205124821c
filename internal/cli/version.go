package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print which flyball this is",
		Long:    "Print flyball's version, the commit it was built from, and the Go it was built with.",
		Example: "  flyball version",
		Args:    exactly(),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(s.Out, versionLine())
			return err
		},
		Annotations: exits("printed", "standard output cannot be written", "wrong call"),
	}
}

// versionLine reads "flyball v0.1.0 commit 0123456789ab go1.26.1 linux/amd64".
func versionLine() string {
	commit := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		commit = commitOf(info.Settings)
	}
	return fmt.Sprintf("flyball %s commit %s %s %s/%s", version(), commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// version is the module's version, "(devel)" outside a release.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// commitOf reads what the go command noted about the work tree.
func commitOf(settings []debug.BuildSetting) string {
	commit, changed := "", ""
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+changes"
		}
	}
	if commit == "" {
		return "unknown"
	}
	return commit + changed
}
