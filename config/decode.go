package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxValues bounds what is read of one file: an alias may stand for much.
const maxValues = 50_000

// maxEntries bounds a list of clients, of routes and so on: each call is held
// against all of them.
const maxEntries = 1000

// A decoder reads a document into a Config. The document's shape is the
// library's business; that every mistake is found, with its line, its key and
// the key that was meant, is this one's.
type decoder struct {
	file     string
	origins  map[string]Origin
	mistakes *Mistakes
	values   int
}

// decode reads text over what c holds already.
// It reports false when there is no use in looking any further.
func (c *Config) decode(file string, text []byte, mistakes *Mistakes) bool {
	var doc yaml.Node
	if err := yaml.Load(text, &doc); err != nil {
		line, what := syntax(err)
		mistakes.add(Origin{FromFile, file, line}, "", "%s", what)
		return false
	}
	d := &decoder{file: file, origins: c.origins, mistakes: mistakes}
	if root := doc.Content[0]; isNull(root) {
		d.wrong(root, "", "the file says nothing (write what differs from the defaults, such as max_wait: 8s, or do without it)")
	} else {
		d.read(root, "", reflect.ValueOf(c).Elem())
	}
	if d.values > maxValues {
		d.wrong(doc.Content[0], "", "the file holds more than %d values (an alias that stands for a list of aliases?)", maxValues)
		return false
	}
	return true
}

func (d *decoder) read(n *yaml.Node, path string, into reflect.Value) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if d.values++; d.values > maxValues || isNull(n) {
		return // nothing is written here: the default stays
	}
	if n.Style&yaml.TaggedStyle != 0 {
		d.wrong(n, path, "has the tag %s (leave it out: the key says what its value is)", n.Tag)
		return
	}
	d.note(n, path)
	switch {
	case into.Kind() == reflect.Pointer:
		v := reflect.New(into.Type().Elem())
		d.read(n, path, v.Elem())
		into.Set(v)
	case into.Kind() == reflect.Slice:
		d.list(n, path, into)
	case into.Addr().Type().Implements(textType):
		d.leaf(n, path, into.Addr().Interface().(encoding.TextUnmarshaler))
	default:
		d.mapping(n, path, into)
	}
}

func (d *decoder) leaf(n *yaml.Node, path string, into encoding.TextUnmarshaler) {
	if n.Kind != yaml.ScalarNode {
		d.wrong(n, path, "is a %s where one value belongs", kindOf(n))
		return
	}
	if err := into.UnmarshalText([]byte(n.Value)); err != nil {
		d.wrong(n, path, "%s", err)
	}
}

// list reads a list; where texts are listed, one alone will do.
func (d *decoder) list(n *yaml.Node, path string, into reflect.Value) {
	items := n.Content
	switch {
	case n.Kind == yaml.ScalarNode && isLeaf(into.Type()):
		items = []*yaml.Node{n}
	case n.Kind != yaml.SequenceNode && isLeaf(into.Type()):
		d.wrong(n, path, "is a %s where a list belongs (write [a, b])", kindOf(n))
		return
	case n.Kind != yaml.SequenceNode:
		d.wrong(n, path, "is a %s where a list belongs (begin each entry with \"- \")", kindOf(n))
		return
	}
	if len(items) > maxEntries {
		d.wrong(n, path, "has %d entries, and %d are the most", len(items), maxEntries)
		return
	}
	all := reflect.MakeSlice(into.Type(), len(items), len(items))
	for i, item := range items {
		if v, ok := all.Index(i).Addr().Interface().(interface{ setDefaults() }); ok {
			v.setDefaults()
		}
		if d.note(item, at(path, i)); isNull(item) && isLeaf(into.Type()) {
			d.wrong(item, at(path, i), "is empty (fill it in, or take it out)")
			continue
		}
		d.read(item, at(path, i), all.Index(i))
	}
	into.Set(all)
}

func (d *decoder) mapping(n *yaml.Node, path string, into reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.wrong(n, path, "is a %s where keys belong (%s)", kindOf(n), strings.Join(namesIn(into.Type()), ", "))
		return
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			d.wrong(key, path, "has a %s for a key", kindOf(key))
			continue
		}
		if line, ok := first[key.Value]; ok {
			d.wrong(key, join(path, key.Value), "is written twice, first in line %d (keep one)", line)
			continue
		}
		first[key.Value] = key.Line
		if f := fieldOf(into, key.Value); f.IsValid() {
			d.read(value, join(path, key.Value), f)
		} else {
			d.unknown(key, path, into.Type())
		}
	}
}

// secretWords are keys under which people write secrets.
var secretWords = []string{
	"token", "admin_token", "api_token", "oauth_token", "access_token", "bearer", "password", "passwd", "secret",
	"client_secret", "authorization", "credential", "credentials", "api_key", "apikey",
}

// unknown tells of a key that t does not have, and of the one that was meant.
func (d *decoder) unknown(key *yaml.Node, path string, t reflect.Type) {
	name, names := key.Value, namesIn(t)
	full := join(path, show(name))
	switch meant := Nearest(name, names); {
	case slices.Contains(secretWords, strings.ToLower(name)) && strings.HasPrefix(full, "admin"):
		d.wrong(key, full, "a secret has no place in this file (write it into a file of its own and name that with admin.token_file, or set FLYBALL_ADMIN_TOKEN)")
	case slices.Contains(secretWords, strings.ToLower(name)):
		d.wrong(key, full, "a secret has no place in this file (the gateway needs none, for callers send their own; commands read ZENDESK_OAUTH_TOKEN)")
	case meant != "":
		d.wrong(key, full, "there is no such key; did you mean %s?", meant)
	default:
		if place := elsewhere(name); place != "" {
			d.wrong(key, full, "there is no such key here; did you mean %s?", standing(place))
			return
		}
		d.wrong(key, full, "there is no such key (here are %s)", strings.Join(names, ", "))
	}
}

// elsewhere returns the path of a key with that name, wherever it belongs.
func elsewhere(name string) string {
	for _, k := range Keys() {
		if strings.HasSuffix("."+k.Path, "."+name) {
			return k.Path
		}
	}
	return ""
}

// standing says where a key stands: its path alone can be the very word that
// was written in another place, or with a dot in it.
func standing(path string) string {
	if i := strings.LastIndex(path, "."); i >= 0 {
		return path[i+1:] + " under " + path[:i]
	}
	return path + " at the top of the file"
}

func (d *decoder) note(n *yaml.Node, path string) {
	if path != "" {
		d.origins[path] = Origin{FromFile, d.file, n.Line}
	}
}

func (d *decoder) wrong(n *yaml.Node, path, format string, args ...any) {
	d.mistakes.add(Origin{FromFile, d.file, n.Line}, path, format, args...)
}

func namesIn(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() && f.Tag.Get("yaml") != "-" {
			names = append(names, f.Tag.Get("yaml"))
		}
	}
	return names
}

func fieldOf(v reflect.Value, name string) reflect.Value {
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && name != "-" && f.Tag.Get("yaml") == name {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

// show returns a key as it may be printed: it could be a line of anything.
func show(name string) string {
	if !printable(name) || len(name) > 40 {
		return quote([]byte(name))
	}
	return name
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "set of keys"
	case yaml.SequenceNode:
		return "list"
	case yaml.ScalarNode:
		return "single value"
	default:
		return "reference"
	}
}

var noDocument = regexp.MustCompile(`no documents|expected single document`)

// syntax says what a file that is no YAML has wrong, and in which line.
func syntax(err error) (line int, what string) {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		return 0, fmt.Sprintf("not YAML: %v", err)
	}
	switch noDocument.FindString(load.Message) {
	case "no documents":
		return 0, "the file says nothing (write what differs from the defaults, such as max_wait: 8s, or do without it)"
	case "expected single document":
		return 0, "the file holds several documents (take out the lines that are \"---\")"
	}
	what = load.Message
	if load.ContextMsg != "" && load.ContextMark.Line > 0 && load.ContextMark.Line != load.Mark.Line {
		what += fmt.Sprintf(", %s that begins in line %d", load.ContextMsg, load.ContextMark.Line)
	}
	return load.Mark.Line, "not YAML: " + what + hint(what)
}

func hint(what string) string {
	switch {
	case strings.Contains(what, "cannot start any token"):
		return " (indent with spaces, never tabs; put a value that begins with @, % or ` in quotes)"
	case strings.Contains(what, "mapping values are not allowed"):
		return " (put a value that holds \": \" in quotes)"
	case strings.Contains(what, "UTF-8"):
		return " (save it as UTF-8)"
	}
	return " (look at this line and the one before: brackets, quotes, indentation)"
}
