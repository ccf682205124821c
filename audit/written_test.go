package audit_test

import (
	"testing"
	"time"

	"github.com/flyballhq/flyball/audit"
)

// A write between two reads drops what it touches and nothing else: the second
// read is a waste only where the write cannot have changed what it reads.
func TestAWriteDropsWhatItTouches(t *testing.T) {
	for _, test := range []struct {
		name, read, method, write string
		status                    int
		waste                     bool
	}{
		{"the object itself", "/api/v2/tickets/5.json", "PUT", "/api/v2/tickets/5.json", 200, false},
		{"below the object", "/api/v2/tickets/5/comments.json", "PUT", "/api/v2/tickets/5", 200, false},
		{"what is below the object", "/api/v2/tickets/5.json", "POST", "/api/v2/tickets/5/tags.json", 201, false},
		{"many objects, unnamed", "/api/v2/tickets/5.json", "PUT", "/api/v2/tickets/update_many.json", 200, false},
		{"the list of the object", "/api/v2/tickets.json", "PUT", "/api/v2/tickets/5.json", 200, false},
		{"the list of a new object", "/api/v2/tickets.json", "POST", "/api/v2/tickets.json", 201, false},
		{"another object", "/api/v2/tickets/5.json", "PUT", "/api/v2/tickets/6.json", 200, true},
		{"a new object", "/api/v2/tickets/5.json", "POST", "/api/v2/tickets.json", 201, true},
		{"another collection", "/api/v2/tickets/5.json", "DELETE", "/api/v2/users/5.json", 204, true},
		{"nothing, for it failed", "/api/v2/tickets/5.json", "PUT", "/api/v2/tickets/5.json", 422, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWeek(1)
			w.add(monday, "a@example.com", "GET", test.read).size = 77
			w.add(monday.Add(5*time.Second), "b@example.com", test.method, test.write).status = test.status
			w.add(monday.Add(20*time.Second), "a@example.com", "GET", test.read).size = 77
			found := counts(report(t, audit.Options{}, write(t, "x.log", w.calls, writeCombined)))
			want := 0
			if test.waste {
				want = 1
			}
			if found[audit.Unchanged] != want || found[audit.Repeats] != want {
				t.Errorf("found %v, want %d unchanged and repeated", found, want)
			}
		})
	}
}
