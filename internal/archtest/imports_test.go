package archtest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/flyballhq/flyball/internal/archtest"
)

const root = "../.."

func TestImportsPointDown(t *testing.T) {
	packages, err := archtest.List(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 2 {
		t.Fatalf("go list found %d packages, want the whole module", len(packages))
	}
	for _, fault := range archtest.CheckImports(packages, archtest.Rooms, archtest.Libraries) {
		t.Error(fault)
	}
}

func TestTableIsSound(t *testing.T) {
	below := map[string][]string{}
	for _, room := range archtest.Rooms {
		if _, twice := below[room.Path]; twice {
			t.Errorf("%s has two rows", room.Path)
		}
		below[room.Path] = room.Imports
	}
	for path, imports := range below {
		for _, imported := range imports {
			if _, ok := below[imported]; !ok {
				t.Errorf("%s may import %s, which has no row", path, imported)
			}
			if slices.Contains(below[imported], path) {
				t.Errorf("%s and %s may import each other", path, imported)
			}
		}
	}
	layers := []string{"admission", "retry", "cache", "batch"}
	for _, layer := range layers {
		for _, other := range layers {
			if slices.Contains(below[layer], other) {
				t.Errorf("the table lets layer %s import layer %s", layer, other)
			}
		}
	}
	if got := below["zendesk"]; !slices.Equal(got, []string{"limit"}) {
		t.Errorf("zendesk may import %v, want limit alone", got)
	}
	if got := below["simulator"]; !slices.Equal(got, []string{"simulator/desk"}) {
		t.Errorf("simulator may import %v, want its own desk alone", got)
	}
}

// pkg is a package that keeps every rule, to be spoilt by a test row.
func pkg(room string, imports ...string) archtest.Package {
	path := archtest.Module + "/" + room
	if room == "." {
		path = archtest.Module
	}
	return archtest.Package{ImportPath: path, Doc: "Package x is here.", GoFiles: []string{"x.go"}, Imports: imports}
}

func TestCheckImportsFindsEachFault(t *testing.T) {
	const ours = archtest.Module + "/"
	undocumented := pkg("limit")
	undocumented.Doc = " "
	taught := pkg("simulator")
	taught.XTestImports = []string{ours + "simulator", ours + "zendesk"}
	tests := []struct {
		name string
		pkg  archtest.Package
		want string // part of the one fault; "" is none
	}{
		{"a room may import the rooms of its row", pkg("admission", "net/http", ours+"queue", ours+"limit"), ""},
		{"the front door stacks the layers", pkg(".", ours+"retry", ours+"admission", ours+"zendesk"), ""},
		{"a library is free above the core", pkg("gateway", "github.com/dunglas/httpsfv"), ""},
		{"a library may be used in its own room", pkg("redis", "github.com/redis/rueidis"), ""},
		{"layers do not import each other", pkg("retry", ours+"admission"), "retry imports admission"},
		{"nothing imports upwards", pkg("limit", ours+"event"), "limit imports event"},
		{"nothing below imports the front door", pkg("admission", archtest.Module), "admission imports .:"},
		{"zendesk knows limits only", pkg("zendesk", ours+"event"), "zendesk imports event"},
		{"the simulator shares nothing", pkg("simulator", ours+"zendesk"), "simulator imports zendesk"},
		{"nor do the simulator's tests", taught, "a test of simulator imports zendesk"},
		{"the core has the standard library only", pkg("budget", "golang.org/x/sync/errgroup"), "standard library only"},
		{"so has the front door", pkg(".", "github.com/redis/rueidis"), "standard library only"},
		{"a heavy library stays in its room", pkg("gateway", "github.com/redis/rueidis"), "lives in [redis] alone"},
		{"main only calls the commands", pkg("cmd/flyball", ours+"gateway"), "cmd/flyball imports gateway"},
		{"every package says what it is for", undocumented, "no package comment"},
		{"a new package needs its row", pkg("util"), "util is not in the import table: give it a row in Rooms"},
		{"a part of a room too", pkg("cache/tape"), "cache/tape is not in the import table"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := archtest.CheckImports([]archtest.Package{tt.pkg}, archtest.Rooms, archtest.Libraries)
			switch {
			case tt.want == "" && len(got) != 0:
				t.Errorf("CheckImports = %q, want no fault", got)
			case tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)):
				t.Errorf("CheckImports = %q, want one fault with %q", got, tt.want)
			}
		})
	}
}
