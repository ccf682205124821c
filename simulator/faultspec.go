package simulator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// faultKey reads and writes one key of a fault's text.
type faultKey struct {
	name  string
	read  func(f *Fault, value string) error
	write func(f *Fault) string // empty when not set
}

func number(at func(*Fault) *int) (func(*Fault, string) error, func(*Fault) string) {
	read := func(f *Fault, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", value)
		}
		*at(f) = n
		return nil
	}
	write := func(f *Fault) string {
		if n := *at(f); n != 0 {
			return strconv.Itoa(n)
		}
		return ""
	}
	return read, write
}

func word[T ~string](at func(*Fault) *T) (func(*Fault, string) error, func(*Fault) string) {
	read := func(f *Fault, value string) error { *at(f) = T(value); return nil }
	return read, func(f *Fault) string { return string(*at(f)) }
}

func span(at func(*Fault) *time.Duration) (func(*Fault, string) error, func(*Fault) string) {
	read := func(f *Fault, value string) error {
		d, err := parseSpan(value)
		*at(f) = d
		return err
	}
	write := func(f *Fault) string {
		if d := *at(f); d != 0 {
			return d.String()
		}
		return ""
	}
	return read, write
}

// faultKeys are the keys of a fault's text, in the order they are written.
var faultKeys = func() []faultKey {
	var keys []faultKey
	add := func(name string) func(func(*Fault, string) error, func(*Fault) string) {
		return func(read func(*Fault, string) error, write func(*Fault) string) {
			keys = append(keys, faultKey{name, read, write})
		}
	}
	add("status")(number(func(f *Fault) *int { return &f.Status }))
	add("body")(word(func(f *Fault) *Body { return &f.Body }))
	add("retry-after")(word(func(f *Fault) *string { return &f.RetryAfter }))
	add("cut")(word(func(f *Fault) *Cut { return &f.Cut }))
	add("delay")(span(func(f *Fault) *time.Duration { return &f.Delay }))
	add("slow-body")(span(func(f *Fault) *time.Duration { return &f.SlowBody }))
	add("remaining")(readRemaining, writeRemaining)
	add("overstate")(number(func(f *Fault) *int { return &f.Overstate }))
	add("headers")(word(func(f *Fault) *HeaderFault { return &f.Headers }))
	add("items")(number(func(f *Fault) *int { return &f.Items }))
	add("job")(word(func(f *Fault) *JobFault { return &f.Job }))
	add("unseen")(span(func(f *Fault) *time.Duration { return &f.Unseen }))
	add("results")(word(func(f *Fault) *ResultForm { return &f.Results }))
	add("method")(word(func(f *Fault) *string { return &f.Method }))
	add("path")(word(func(f *Fault) *string { return &f.Path }))
	add("every")(number(func(f *Fault) *int { return &f.Every }))
	add("nth")(readNth, writeNth)
	add("probability")(readProbability, writeProbability)
	add("count")(number(func(f *Fault) *int { return &f.Count }))
	return keys
}()

func readRemaining(f *Fault, value string) error {
	if value != "0" {
		return fmt.Errorf("only remaining=0 can be made up")
	}
	f.StrayZero = true
	return nil
}

func writeRemaining(f *Fault) string {
	if f.StrayZero {
		return "0"
	}
	return ""
}

func readNth(f *Fault, value string) error {
	for text := range strings.SplitSeq(value, "+") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a whole number; write nth=1+4+9", text)
		}
		f.Nth = append(f.Nth, n)
	}
	return nil
}

func writeNth(f *Fault) string {
	parts := make([]string, len(f.Nth))
	for i, n := range f.Nth {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, "+")
}

func readProbability(f *Fault, value string) error {
	text, percent := strings.CutSuffix(value, "%")
	p, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("%q is not a share; write 0.05 or 5%%", value)
	}
	if percent {
		p /= 100
	}
	f.Probability = p
	return nil
}

func writeProbability(f *Fault) string {
	if f.Probability == 0 {
		return ""
	}
	return strconv.FormatFloat(f.Probability, 'g', -1, 64)
}

// FaultKeys lists the keys ParseFault takes.
func FaultKeys() []string {
	names := make([]string, len(faultKeys))
	for i, k := range faultKeys {
		names[i] = k.name
	}
	return names
}

// ParseFault reads a fault as written on a command line:
//
//	status=429,every=20,path=/api/v2/tickets*,retry-after=0
//
// The keys are those of [FaultKeys], named after the fields of [Fault];
// nth=1+4+9 lists occurrences, probability takes 0.05 or 5%, retry-after any
// literal, a date with its comma too, or none, or date. A permanent refusal is
// status=429 on a path, with body=pagination-depth or body=F.
func ParseFault(text string) (Fault, error) {
	var f Fault
	pairs, err := faultPairs(text)
	if err != nil {
		return Fault{}, err
	}
	for _, pair := range pairs {
		at := slices.IndexFunc(faultKeys, func(k faultKey) bool { return k.name == pair[0] })
		if at < 0 {
			return Fault{}, fmt.Errorf("fault %q: unknown key %q; the keys are %s", text, pair[0], strings.Join(FaultKeys(), ", "))
		}
		if err := faultKeys[at].read(&f, pair[1]); err != nil {
			return Fault{}, fmt.Errorf("fault %q: %s: %w", text, pair[0], err)
		}
	}
	f.Method = strings.ToUpper(f.Method)
	if err := f.Check(); err != nil {
		return Fault{}, fmt.Errorf("fault %q: %w", text, err)
	}
	return f, nil
}

// faultPairs splits at commas; a piece without an = belongs to the value before
// it, so that a date keeps its comma.
func faultPairs(text string) ([][2]string, error) {
	var pairs [][2]string
	for piece := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(piece, "=")
		if !ok && len(pairs) > 0 && pairs[len(pairs)-1][0] == "retry-after" {
			pairs[len(pairs)-1][1] += "," + piece
			continue
		}
		if !ok {
			return nil, fmt.Errorf("fault %q: %q is not key=value; the keys are %s", text, piece, strings.Join(FaultKeys(), ", "))
		}
		pairs = append(pairs, [2]string{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	return pairs, nil
}

// String writes the fault as ParseFault reads it.
func (f Fault) String() string {
	var parts []string
	for _, k := range faultKeys {
		if value := k.write(&f); value != "" {
			parts = append(parts, k.name+"="+value)
		}
	}
	return strings.Join(parts, ",")
}
