package config_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flyballhq/flyball/config"
)

var update = flag.Bool("update", false, "write the messages into testdata/wrong/*.txt")

// Each wrong file is refused with these words, all its mistakes at once.
func TestEveryMistakeIsNamedWithItsLineAndTheWayOut(t *testing.T) {
	files, err := filepath.Glob("testdata/wrong/*.yaml")
	if err != nil || len(files) < 30 {
		t.Fatalf("there are %d wrong files, %v; want 30 at least", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			_, err := config.Load(config.Source{File: file})
			var mistakes config.Mistakes
			if !errors.As(err, &mistakes) {
				t.Fatalf("Load(%s) = %v, want its mistakes", file, err)
			}
			got := strings.ReplaceAll(err.Error(), filepath.ToSlash(filepath.Dir(file))+"/", "") + "\n"
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("Load(%s) (-want +got):\n%s", file, diff)
			}
			if strings.Contains(got, "s3cr3t") {
				t.Errorf("Load(%s) shows a secret", file)
			}
		})
	}
}
