package zendesk

import (
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/limit"
)

func TestCatalogueRowsAreWhole(t *testing.T) {
	seen := map[limit.Key]bool{}
	for _, row := range Catalogue() {
		r := row.Rule
		key := limit.Key{Service: r.Service, ID: r.ID}
		if seen[key] || r.ID == PrimaryID || r.ID == "" {
			t.Errorf("%s: the ID %q is not its own", row.Fact, r.ID)
		}
		seen[key] = true
		if r.Source == "" || row.Fact == "" {
			t.Errorf("%s %s says no source", row.Fact, r.ID)
		}
		if r.Mark == limit.Binding && r.Limit <= 0 {
			t.Errorf("%s %s binds nobody to %d", row.Fact, r.ID, r.Limit)
		}
		perObject := r.Scope == limit.PerObject || r.Scope == limit.PerObjectAndCredential
		if perObject != (r.Kind == limit.Object) {
			t.Errorf("%s %s: kind %v does not go with scope %v", row.Fact, r.ID, r.Kind, r.Scope)
		}
		if r.Kind != limit.Slots && r.Kind != limit.Pause && (r.Window <= 0 || r.Window > 24*time.Hour) {
			t.Errorf("%s %s has a window of %v", row.Fact, r.ID, r.Window)
		}
		if r.Kind == limit.Slots && r.Window != 0 {
			t.Errorf("%s %s: slots have no window", row.Fact, r.ID)
		}
	}
}

func TestEveryFactThatARequestShowsHasARow(t *testing.T) {
	stated := map[string]bool{}
	for _, row := range Catalogue() {
		stated[row.Fact] = true
	}
	for _, r := range Primaries(Enterprise) {
		fact, _, _ := strings.Cut(r.Source, " ")
		stated[fact] = true
	}
	for fact := range strings.FieldsSeq(`T1 T2 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12 T13 T14 T15
		U1 U2 U3 U4 U5 U6 U7 U8 S1 S2 I1 I2 I3 I4 V1 V2 V3 V4 J1 A1 W1 W2 K1 K2 C1 EC1 SDK`) {
		if !stated[fact] {
			t.Errorf("%s is missing", fact)
		}
	}
}

// TestEveryRowIsDrawnOnWhereItSays also catches a row whose service is not
// that of its path, or whose path is hidden by another.
func TestEveryRowIsDrawnOnWhereItSays(t *testing.T) {
	for _, row := range Catalogue() {
		for _, on := range row.On {
			method, pattern, _ := strings.Cut(on, " ")
			method, out := strings.CutPrefix(method, "!")
			path := strings.NewReplacer("{id}", "1234", "{key}", "thing", "/**", "/whatever").Replace(pattern)
			auth, query := "Bearer x", ""
			if row.Anonymous {
				auth = ""
			}
			if row.DeepAfter > 0 {
				query = "?per_page=5&page=10001"
			}
			r := New(Enterprise).Route(request(t, method, path+query, auth))
			found := false
			for _, d := range r.Draws() {
				found = found || d.Rule == row.Rule
			}
			if found == out || r.Service != row.Rule.Service {
				t.Errorf("%s: %s (%s, class %q) draws on %v, not on %s/%s", row.Fact, on, r.Service, r.Class, drawIDs(&r), row.Rule.Service, row.Rule.ID)
			}
		}
	}
}

func TestCatalogueCannotBeChangedByItsReader(t *testing.T) {
	Catalogue()[0] = Row{}
	if Catalogue()[0].Fact == "" {
		t.Error("a caller emptied a row for everybody")
	}
}
