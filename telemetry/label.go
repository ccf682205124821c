package telemetry

import "strings"

// maxLabel bounds a label's value in bytes.
const maxLabel = 100

// label returns a copy of s that may stand in a label: valid UTF-8, short, and
// never empty.
func label(s string) string {
	if len(s) > maxLabel {
		s = s[:maxLabel]
	}
	if s = strings.ToValidUTF8(s, ""); s == "" {
		return "unknown"
	}
	return strings.Clone(s)
}
