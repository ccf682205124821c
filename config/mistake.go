package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Mistake is one thing that is wrong in a configuration.
type Mistake struct {
	// Origin is where it stands: a line of the file, a variable or a flag.
	Origin Origin
	// Key is the key's path, such as accounts[0].clients[1].ceiling; "" when
	// the mistake is the file's as a whole.
	Key string
	// Text says what is wrong and, in brackets, the way out. It holds no secret.
	Text string
}

// Error is "flyball.yaml:12: accounts[0].clients[1].ceiling: ...".
func (m Mistake) Error() string {
	var b strings.Builder
	if m.Origin.From != Default {
		b.WriteString(m.Origin.String() + ": ")
	}
	if m.Key != "" && (m.Origin.From == FromFile || m.Origin.From == Default) {
		b.WriteString(m.Key + ": ")
	}
	return b.String() + m.Text
}

// Mistakes is everything that is wrong in a configuration, in the order of the
// file's lines, then the environment's and the command line's.
type Mistakes []Mistake

// Error is one line for each mistake, for the first hundred of them.
func (ms Mistakes) Error() string {
	var lines []string
	for i, m := range ms {
		if i == 100 {
			lines = append(lines, fmt.Sprintf("and %d more", len(ms)-i))
			break
		}
		lines = append(lines, m.Error())
	}
	return strings.Join(lines, "\n")
}

func (ms *Mistakes) add(at Origin, key, format string, args ...any) {
	*ms = append(*ms, Mistake{at, key, fmt.Sprintf(format, args...)})
}

// sorted returns ms as an error, nil for none.
func (ms Mistakes) sorted() error {
	if len(ms) == 0 {
		return nil
	}
	slices.SortStableFunc(ms, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Origin.From, b.Origin.From), cmp.Compare(a.Origin.Line, b.Origin.Line))
	})
	return ms
}
