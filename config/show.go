package config

import (
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// WriteTo writes c as a file that says the same: every key with its value and,
// behind it, where that came from. A secret is not shown.
func (c *Config) WriteTo(w io.Writer) (int64, error) {
	p := &printer{origins: c.origins}
	p.keys(reflect.ValueOf(c).Elem(), "", "")
	n, err := io.WriteString(w, p.String())
	return int64(n), err
}

type printer struct {
	origins map[string]Origin
	lines   [][2]string // what is said, where it came from
}

// String sets the origins one under another.
func (p *printer) String() string {
	width := 0
	for _, l := range p.lines {
		if len(l[0]) <= 60 {
			width = max(width, len(l[0]))
		}
	}
	var b strings.Builder
	for _, l := range p.lines {
		line := l[0]
		if l[1] != "" {
			line = fmt.Sprintf("%-*s  # %s", width, l[0], l[1])
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// keys prints a struct; the first line's indentation may be a list's dash.
func (p *printer) keys(v reflect.Value, path, indent string) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		below := join(path, nameOf(f))
		switch {
		case f.Type == reflect.TypeFor[Secret]():
			p.secret(v.Field(i), nameOf(f), below, indent)
			continue
		case isLeaf(f.Type):
			p.line(strings.TrimRight(indent+nameOf(f)+": "+written(v.Field(i)), " "), p.from(v.Field(i), below))
		case f.Type.Kind() == reflect.Slice:
			p.entries(v.Field(i), nameOf(f), below, indent)
		default:
			p.line(indent+nameOf(f)+":", "")
			p.keys(v.Field(i), below, strings.ReplaceAll(indent, "-", " ")+"  ")
		}
		indent = strings.ReplaceAll(indent, "-", " ")
	}
}

func (p *printer) entries(v reflect.Value, name, path, indent string) {
	if v.Len() == 0 {
		p.line(indent+name+": []", p.origins[path].String())
		return
	}
	p.line(indent+name+":", "")
	for i := range v.Len() {
		p.keys(v.Index(i), at(path, i), strings.ReplaceAll(indent, "-", " ")+"  - ")
	}
}

func (p *printer) secret(v reflect.Value, name, path, indent string) {
	if v.String() != "" {
		p.line(indent+"# "+name+" is set, and not shown", p.origins[path].String())
	}
}

// from says where a value came from; one that nobody set and that has no
// default is none.
func (p *printer) from(v reflect.Value, path string) string {
	origin := p.origins[path]
	if origin.From == Default && text(v) == "" {
		return "default: none"
	}
	return origin.String()
}

func (p *printer) line(said, from string) { p.lines = append(p.lines, [2]string{said, from}) }

// written is a value as YAML.
func written(v reflect.Value) string {
	if v.Kind() == reflect.Slice && !v.IsNil() {
		words := make([]string, v.Len())
		for i := range words {
			words[i] = quoted(text(v.Index(i)))
		}
		return "[" + strings.Join(words, ", ") + "]"
	}
	if s := text(v); s != "" {
		return quoted(s)
	}
	return ""
}

var plain = regexp.MustCompile(`^[A-Za-z0-9/.][A-Za-z0-9_/.:%@+-]*$`)

func quoted(s string) string {
	if plain.MatchString(s) && !strings.HasSuffix(s, ":") && !strings.EqualFold(s, "null") {
		return s
	}
	return strconv.Quote(s)
}
