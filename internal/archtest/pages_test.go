package archtest_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/flyballhq/flyball/internal/archtest"
)

func TestPagesNameWhatIsThere(t *testing.T) {
	files := os.DirFS(root)
	pages, err := archtest.Pages(files)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(pages, "docs/ARCHITECTURE.md") {
		t.Fatalf("Pages = %q, want docs/ARCHITECTURE.md among them", pages)
	}
	faults, err := archtest.CheckPages(files, pages...)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
}

// Every room that the import table allows and that is there has its line in
// the picture of the rooms.
func TestArchitectureShowsEveryRoom(t *testing.T) {
	text, err := os.ReadFile(root + "/docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range archtest.Rooms {
		if _, err := os.Stat(root + "/" + room.Path + "/doc.go"); err != nil {
			continue
		}
		if want := room.Path + "/"; room.Path != "." && !strings.Contains(string(text), want) {
			t.Errorf("docs/ARCHITECTURE.md does not show %s", want)
		}
	}
}

func TestCheckPagesFindsEachFault(t *testing.T) {
	files := fstest.MapFS{
		"queue/queue.go":      {Data: []byte("package queue\n")},
		"queue/queue_test.go": {Data: []byte("package queue\n\nfunc TestIsFair(t *testing.T) {}\n")},
		"docs/other.md":       {Data: []byte("# Other\n")},
	}
	tests := []struct {
		name, text string
		want       string // part of the one fault; "" is none
	}{
		{"what is there may be named", "`queue/queue.go`, `TestIsFair`, [x](other.md#a), [y](../queue/queue.go)", ""},
		{"a web address is not looked up", "[x](https://example.com/x.go)", ""},
		{"a package or a type is no file", "`budget.Account` and `net/http`", ""},
		{"a file that is not there", "`queue/lanes.go`", "names `queue/lanes.go`"},
		{"a test that is not there", "`TestIsQuick`", "names `TestIsQuick`"},
		{"a link to nothing", "[x](gone.md)", "links to gone.md"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files["docs/page.md"] = &fstest.MapFile{Data: []byte(tt.text)}
			got, err := archtest.CheckPages(files, "docs/page.md")
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case tt.want == "" && len(got) != 0:
				t.Errorf("CheckPages = %q, want no fault", got)
			case tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)):
				t.Errorf("CheckPages = %q, want one fault with %q", got, tt.want)
			}
		})
	}
}
