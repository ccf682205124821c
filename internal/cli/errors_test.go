package cli

import "testing"

func TestTheNearestNameIsSuggested(t *testing.T) {
	names := []string{"serve", "sim", "limits", "max-wait", "listen"}
	for word, want := range map[string]string{
		"srve": "serve", "server": "serve", "sin": "sim", "limit": "limits", "max-wiat": "max-wait", "lis": "listen",
		"frobnicate": "", "": "", "x": "",
	} {
		if got := nearest(word, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
