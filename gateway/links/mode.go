package links

import "fmt"

// Mode says which links are rewritten. The zero value is Navigation.
type Mode uint8

const (
	// Navigation rewrites the links a client follows to its next page or its
	// job: next_page, previous_page, after_url, before_url and the members of
	// links at the top level of the document, job_status.url,
	// job_statuses[].url, and the headers Link and Location.
	Navigation Mode = iota
	// All rewrites every string value that begins with the upstream's origin
	// and /api/, and the same headers. Object keys stay. Values nested deeper
	// than 1024 levels stay.
	All
	// Off rewrites nothing.
	Off
)

// ParseMode reads a mode as the command line spells it.
func ParseMode(name string) (Mode, error) {
	for _, m := range []Mode{Navigation, All, Off} {
		if m.String() == name {
			return m, nil
		}
	}
	return Navigation, fmt.Errorf("unknown link mode %q: use navigation, all or off", name)
}

// String is the mode as the command line spells it.
func (m Mode) String() string {
	switch m {
	case Navigation:
		return "navigation"
	case All:
		return "all"
	case Off:
		return "off"
	}
	return fmt.Sprintf("mode %d", uint8(m))
}
