package zendesk

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/flyballhq/flyball/limit"
)

// A method's place in a node's table. HEAD has GET's: Zendesk counts it so.
const (
	mGET = iota
	mPOST
	mPUT
	mPATCH
	mDELETE
	mOTHER
	methodCount
)

var methodNames = [methodCount]string{"GET", "POST", "PUT", "PATCH", "DELETE", "OTHER"}

func methodIndex(m string) int {
	switch m {
	case "GET", "HEAD", "":
		return mGET
	case "POST":
		return mPOST
	case "PUT":
		return mPUT
	case "PATCH":
		return mPATCH
	case "DELETE":
		return mDELETE
	}
	return mOTHER
}

// An endpoint is what one method on one path pattern draws on.
type endpoint struct {
	class     string
	service   serviceIndex
	cost      int // of the primary counter
	job       limit.JobRole
	heavy     bool
	keys      bool // Idempotency-Key is honoured
	deepAfter int  // 0: depth does not matter
	rules     []*limit.Rule
	deep      []*limit.Rule // past deepAfter
	anonymous []*limit.Rule // without a credential
}

// A node is a prefix of path patterns.
type node struct {
	static map[string]*node
	param  *node // nil when no segment is free here
	kind   string
	at     [methodCount]endpoint // the path ends here
	other  [methodCount]endpoint // the path goes on into the unknown
}

// tree is built on the first call, for a command that never routes needs none.
var tree = sync.OnceValue(buildTree)

type routes struct{ root, v2 *node }

func buildTree() *routes {
	b := builder{exact: map[string][]*Row{}, below: map[string][]*Row{}, not: map[string][]*Row{}, roles: map[string]limit.JobRole{}, keys: map[string]bool{}}
	root := &node{}
	for line := range strings.Lines(paths) {
		family, rest, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		root.insert(family)
		for sub := range strings.FieldsSeq(rest) {
			root.insert(family + "/" + sub)
		}
	}
	for i := range catalogue {
		b.index(root, &catalogue[i])
	}
	for _, on := range startsJob {
		b.roles[on] = limit.StartsJob
	}
	for _, on := range reportsJob {
		b.roles[on] = limit.ReportsJob
	}
	for _, on := range idempotent {
		b.keys[on] = true
	}
	b.fill(root, "", [methodCount][]*Row{})
	return &routes{root: root, v2: root.static["api"].static["v2"]}
}

// insert adds a pattern and returns its node.
func (n *node) insert(pattern string) *node {
	for segment := range strings.SplitSeq(strings.Trim(pattern, "/"), "/") {
		n = n.child(segment)
	}
	return n
}

func (n *node) child(segment string) *node {
	if strings.HasPrefix(segment, "{") {
		if n.param == nil {
			n.param, n.kind = &node{}, segment
		}
		return n.param
	}
	if n.static == nil {
		n.static = map[string]*node{}
	}
	if n.static[segment] == nil {
		n.static[segment] = &node{}
	}
	return n.static[segment]
}

// A builder fills the tree's endpoints from the tables.
type builder struct {
	exact, below, not map[string][]*Row // by "METHOD /pattern"
	roles             map[string]limit.JobRole
	keys              map[string]bool
}

func (b *builder) index(root *node, row *Row) {
	for _, on := range row.On {
		if not, ok := strings.CutPrefix(on, "!"); ok {
			b.not[not] = append(b.not[not], row)
			continue
		}
		_, pattern, _ := strings.Cut(on, " ")
		if base, ok := strings.CutSuffix(on, "/**"); ok {
			b.below[base] = append(b.below[base], row)
			pattern = strings.TrimSuffix(pattern, "/**")
		} else {
			b.exact[on] = append(b.exact[on], row)
		}
		root.insert(pattern)
	}
}

// fill makes the endpoints of n, whose pattern is path, and of all below.
// inherited are the rows that apply to everything under a parent.
func (b *builder) fill(n *node, path string, inherited [methodCount][]*Row) {
	below := inherited
	for m, name := range methodNames {
		on := name + " " + path
		if rows := b.below[on]; rows != nil {
			below[m] = append(inherited[m][:len(inherited[m]):len(inherited[m])], rows...)
		}
		n.at[m] = b.endpoint(name, path, append(inherited[m][:len(inherited[m]):len(inherited[m])], b.exact[on]...))
		n.other[m] = b.endpoint(name, path+"/{other}", below[m])
	}
	for segment, child := range n.static {
		b.fill(child, path+"/"+segment, below)
	}
	if n.param != nil {
		b.fill(n.param, path+"/"+n.kind, below)
	}
}

func (b *builder) endpoint(method, path string, rows []*Row) endpoint {
	on := method + " " + path
	e := endpoint{
		class: on, service: serviceOf(path), cost: 1,
		job: b.roles[on], keys: b.keys[on], heavy: heavy(method, path),
	}
	if services[e.service] == WebhooksTest {
		e.cost = 2 // 18 of 20 are left after the first call [ZP]
	}
	for _, row := range rows {
		switch {
		case slices.Contains(b.not[on], row):
		case row.DeepAfter > 0:
			e.deepAfter = row.DeepAfter
			e.deep = append(e.deep, row.Rule)
		case row.Anonymous:
			e.anonymous = append(e.anonymous, row.Rule)
		default:
			e.rules = append(e.rules, row.Rule)
		}
	}
	// Endpoints first, then objects, then slots: the order people read.
	slices.SortStableFunc(e.rules, func(a, b *limit.Rule) int { return cmp.Compare(a.Kind, b.Kind) })
	return e
}

// heavy marks exports and the bulk writes. show_many and count_many are reads
// like any other.
func heavy(method, path string) bool {
	last := path[strings.LastIndexByte(path, '/')+1:]
	return strings.Contains(path, "/incremental/") || strings.HasSuffix(path, "/search/export") ||
		method != "GET" && (strings.HasSuffix(last, "_many") || last == "mark_many_as_spam" || last == "jobs")
}

// find walks a path and returns its endpoint for the method, and the object
// that it names: the first {id}, else the first {key}.
func (t *routes) find(method int, path string) (e *endpoint, object uint64) {
	n, rest := t.root, path
	if strings.HasPrefix(path, "/api/v2/") {
		n, rest = t.v2, path[len("/api/v2/"):]
	}
	fromID := false
	for rest != "" {
		segment := rest
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			segment, rest = rest[:i], rest[i+1:]
		} else {
			rest = ""
			segment = strings.TrimSuffix(segment, ".json")
		}
		if segment == "" {
			continue
		}
		next, isParam := n.next(segment)
		if next == nil {
			return &n.other[method], object
		}
		if isParam && !fromID && n.kind != "{locale}" {
			fromID = n.kind == "{id}"
			if fromID || object == 0 {
				object = objectID(segment)
			}
		}
		n = next
	}
	return &n.at[method], object
}

// next returns the child that segment leads to, nil when none.
func (n *node) next(segment string) (child *node, param bool) {
	if n.param != nil && isDigit(segment[0]) && n.kind == "{id}" {
		return n.param, true
	}
	if child = n.static[segment]; child != nil {
		return child, false
	}
	if n.param == nil || n.kind == "{id}" && !hasDigit(segment) || n.kind == "{locale}" && !isLocale(segment) {
		return nil, false
	}
	return n.param, true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func hasDigit(s string) bool {
	for i := range len(s) {
		if isDigit(s[i]) {
			return true
		}
	}
	return false
}

// isLocale accepts "de", "en-us", "zh-Hant-tw".
func isLocale(s string) bool {
	return len(s) == 2 || len(s) > 3 && len(s) <= 12 && (s[2] == '-' || s[3] == '-')
}
