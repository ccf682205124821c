package cli

import (
	"strings"
	"testing"

	"github.com/flyballhq/flyball/admin"
)

// What each cause saved is said whole, however narrow the terminal.
func TestEverySavingIsShown(t *testing.T) {
	limits := admin.Limits{}
	for _, cause := range []string{"cache", "stale", "coalesced", "merged", "elided"} {
		limits.Saved = append(limits.Saved, admin.Saving{Cause: cause, Sends: 123456, Percent: 16})
	}
	for _, width := range []int{60, 80, 120, 400} {
		v := topView{width: width}
		shown := ""
		for _, text := range v.saved(limits) {
			shown += v.cut(text) + "\n"
		}
		for _, s := range limits.Saved {
			if want := "123456 sends by " + s.Cause + " (16 %)"; !strings.Contains(shown, want) {
				t.Errorf("%d wide, %q is missing in\n%s", width, want, shown)
			}
		}
		if !strings.HasSuffix(shown, " since the start\n") {
			t.Errorf("%d wide, it does not end well:\n%s", width, shown)
		}
	}
}
