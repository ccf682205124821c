package links

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// reference rewrites a valid document the slow way: with encoding/json's
// tokens, and the whole path of each value.
func reference(t testing.TB, doc string, mode Mode) string {
	t.Helper()
	var b strings.Builder
	done := 0
	walkStrings(t, doc, func(path []string, start, end int) {
		raw := doc[start:end]
		cut := originEnd(raw)
		if cut == 0 || mode == Off || mode == Navigation && !isNavigation(path) || len(path) > deepest {
			return
		}
		b.WriteString(doc[done : start+1])
		to := gateway
		if strings.Contains(raw[:cut], `\/`) {
			to = strings.ReplaceAll(to, "/", `\/`)
		}
		b.WriteString(to)
		done = start + cut
	})
	b.WriteString(doc[done:])
	return b.String()
}

// isNavigation tells by the path: keys with a dot before them, "[]" for a list.
func isNavigation(path []string) bool {
	switch len(path) {
	case 1:
		return slices.Contains([]string{".next_page", ".previous_page", ".after_url", ".before_url"}, path[0])
	case 2:
		return path[0] == ".links" && path[1] != "[]" || path[0] == ".job_status" && path[1] == ".url"
	case 3:
		return path[0] == ".job_statuses" && path[1] == "[]" && path[2] == ".url"
	}
	return false
}

// walkStrings calls visit for every string value: its path and where it stands.
func walkStrings(t testing.TB, doc string, visit func(path []string, start, end int)) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(doc))
	d.UseNumber()
	var path []string
	var value func()
	next := func() json.Token {
		token, err := d.Token()
		if err != nil {
			t.Fatalf("the reference reads %q: %v", doc, err)
		}
		return token
	}
	value = func() {
		before := int(d.InputOffset())
		switch token := next().(type) {
		case string:
			start := before + strings.IndexByte(doc[before:], '"')
			visit(path, start, int(d.InputOffset()))
		case json.Delim:
			for d.More() {
				step := "[]"
				if token == '{' {
					step = "." + next().(string)
				}
				path = append(path, step)
				value()
				path = path[:len(path)-1]
			}
			next()
		}
	}
	value()
}

// originEnd is where, in a raw string value, a known origin ends that /api/
// follows; 0 if none does.
func originEnd(raw string) int {
	var text string
	if json.Unmarshal([]byte(raw), &text) != nil {
		return 0
	}
	for _, origin := range []string{upstream, upstream + ":443"} {
		if len(text) < len(origin) || !strings.HasPrefix(text[len(origin):], apiPath) || asciiLower(text[:len(origin)]) != origin {
			continue
		}
		for cut := 1; cut < len(raw); cut++ {
			var head string
			if json.Unmarshal([]byte(raw[:cut]+`"`), &head) == nil && asciiLower(head) == origin {
				return cut
			}
		}
	}
	return 0
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// spelled matches the origin in any spelling of its characters.
var spelled = func() *regexp.Regexp {
	var b strings.Builder
	for _, c := range upstream {
		fmt.Fprintf(&b, `(?:\\?%s|\\u00(?i:%02x|%02x))`, regexp.QuoteMeta(string(c)), c, c&^0x20)
	}
	return regexp.MustCompile(`^(?i:` + b.String() + `)(?:(?:\\u003[aA]|:)(?:\\u0034|4){2}(?:\\u0033|3))?`)
}()

// checkOnlyOrigins reports a byte that changed other than by an origin that
// became the gateway's address.
func checkOnlyOrigins(in, out string) error {
	for in != "" || out != "" {
		rest, ok := strings.CutPrefix(out, gateway)
		if !ok {
			rest, ok = strings.CutPrefix(out, strings.ReplaceAll(gateway, "/", `\/`))
		}
		if ok {
			if at := spelled.FindStringIndex(in); at != nil {
				in, out = in[at[1]:], rest
				continue
			}
		}
		if in == "" || out == "" || in[0] != out[0] {
			return fmt.Errorf("%.60q became %.60q", in, out)
		}
		in, out = in[1:], out[1:]
	}
	return nil
}

// checkDocument runs one document, valid or not, through both modes, whole and
// in random pieces, plain and packed.
func checkDocument(t testing.TB, rng *rand.Rand, doc string) error {
	t.Helper()
	for _, mode := range []Mode{Navigation, All} {
		r := rewriter(t, mode)
		whole := through(t, r, doc, len(doc)+1)
		if json.Valid([]byte(doc)) {
			if want := reference(t, doc, mode); whole != want {
				return fmt.Errorf("mode %s of %q:\n got %q\nwant %q", mode, doc, whole, want)
			}
		}
		if !strings.Contains(doc, "127.0.0.1") {
			if err := checkOnlyOrigins(doc, whole); err != nil {
				return fmt.Errorf("mode %s of %q: %w", mode, doc, err)
			}
		}
		for range 3 {
			if got := inRandomPieces(t, r, rng, doc); got != whole {
				return fmt.Errorf("mode %s of %q, in pieces:\n got %q\nwant %q", mode, doc, got, whole)
			}
		}
	}
	return nil
}

// randomReads gives and takes random numbers of bytes at a time.
type randomReads struct {
	r   io.Reader
	rng *rand.Rand
}

func (r randomReads) Read(p []byte) (int, error) {
	return r.r.Read(p[:min(len(p), 1+r.rng.IntN(40))])
}

func inRandomPieces(t testing.TB, r *Rewriter, rng *rand.Rand, doc string) string {
	t.Helper()
	resp := answer(randomReads{strings.NewReader(doc), rng})
	if err := r.Response(resp); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(randomReads{resp.Body, rng})
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

// author writes random documents that are rich in links and near-links.
type author struct {
	*rand.Rand
	b strings.Builder
}

var (
	keys = []string{
		"next_page", "previous_page", "links", "links", "next", "after_url", "before_url", "job_status",
		"job_statuses", "job_statuses", "url", "url", "tickets", "next_pag", "next_page_", "", "a.b", `a"b\`,
	}
	texts = []string{
		upstream + "/api/v2/x", upstream + ":443/api/v2/x?a=1&b=2", "HTTPS://ACME.zendesk.com/api/", upstream + "/api", upstream,
		upstream + ".evil/api/", " " + upstream + "/api/v2", "http://acme.zendesk.com/api/", `\`, `"`, "", "héllo", "next_page", "\\\\\"",
		upstream + ":444/api/", upstream + "/hc/", upstream + "/api/ü", "{[", "}]", "https://", "\x7f\u2028\U0001f600",
	}
)

func (a *author) value(depth int) {
	switch n := a.IntN(10); {
	case depth < 5 && n < 2:
		a.object(depth)
	case depth < 5 && n < 4:
		a.list('[', ']', func() { a.value(depth + 1) })
	case n < 6:
		a.text(texts[0])
	case n < 9:
		a.text(pick(a, texts))
	default:
		a.b.WriteString(pick(a, []string{"null", "true", "-1.5e3", "0"}))
	}
}

func (a *author) object(depth int) {
	a.list('{', '}', func() {
		key := pick(a, keys)
		a.text(key)
		a.space()
		a.b.WriteByte(':')
		a.space()
		switch fitting := a.IntN(3) > 0; {
		case fitting && (key == "links" || key == "job_status"):
			a.object(depth + 1)
		case fitting && key == "job_statuses":
			a.list('[', ']', func() { a.object(depth + 2) })
		default:
			a.value(depth + 1)
		}
	})
}

func pick(a *author, from []string) string { return from[a.IntN(len(from))] }

func (a *author) list(begin, end byte, item func()) {
	a.b.WriteByte(begin)
	for i := range a.IntN(6) {
		if i > 0 {
			a.b.WriteByte(',')
		}
		a.space()
		item()
		a.space()
	}
	a.b.WriteByte(end)
}

func (a *author) space() {
	if a.IntN(6) == 0 {
		a.b.WriteString(pick(a, []string{" ", "\n\t", "\r\n"}))
	}
}

// text writes a string, each character spelled in one of JSON's ways.
func (a *author) text(s string) {
	escapes := a.IntN(3) == 0
	a.b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			a.b.WriteByte('\\')
			a.b.WriteRune(c)
		case escapes && c < 0x80 && a.IntN(4) == 0:
			fmt.Fprintf(&a.b, pick(a, []string{`\u%04x`, `\u%04X`}), c)
		case escapes && c == '/':
			a.b.WriteString(`\/`)
		default:
			a.b.WriteRune(c)
		}
	}
	a.b.WriteByte('"')
}

func TestRandomDocumentsAgreeWithTheReference(t *testing.T) {
	links := 0
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 4))
		a := author{Rand: rng}
		a.object(0)
		doc := a.b.String()
		if reference(t, doc, Navigation) != doc {
			links++
		}
		if err := checkDocument(t, rng, doc); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := checkDocument(t, rng, doc[:rng.IntN(len(doc))]); err != nil {
			t.Fatalf("seed %d, cut: %v", seed, err)
		}
	}
	if links < 40 {
		t.Errorf("only %d documents had links: the author writes the wrong ones", links)
	}
}

func FuzzRewrite(f *testing.F) {
	for _, s := range shapes {
		body, _ := s.fill()
		f.Add(body, uint64(1))
	}
	f.Fuzz(func(t *testing.T, doc string, seed uint64) {
		if err := checkDocument(t, rand.New(rand.NewPCG(seed, 5)), doc); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTheReferenceKnowsThePlaces(t *testing.T) {
	var got []string
	walkStrings(t, `{"next_page":"a","links":{"next":"b","x":["c"]},"job_statuses":[{"url":"d"}],"tickets":[{"url":"e"}]}`,
		func(path []string, _, _ int) {
			if isNavigation(path) {
				got = append(got, strings.Join(path, ""))
			}
		})
	if want := []string{".next_page", ".links.next", ".job_statuses[].url"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
