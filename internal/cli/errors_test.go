package cli

import (
	"testing"

	"github.com/flyballhq/flyball/config"
)

func TestTheNearestNameIsSuggested(t *testing.T) {
	names := []string{"serve", "sim", "limits", "max-wait", "listen"}
	for word, want := range map[string]string{
		"srve": "serve", "server": "serve", "sin": "sim", "limit": "limits", "max-wiat": "max-wait", "lis": "listen",
		"frobnicate": "", "": "", "x": "",
	} {
		if got := config.Nearest(word, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
