package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
)

// A field is one -f or -F: a key such as ticket[priority] and its value.
type field struct {
	key   string
	value any
}

// fieldFlag collects -f (text) and -F (typed) in the order given.
type fieldFlag struct {
	list  *[]field
	typed bool
	in    io.Reader
}

func (f fieldFlag) Type() string   { return "KEY=VALUE" }
func (f fieldFlag) String() string { return "" }

// Set reads one KEY=VALUE.
func (f fieldFlag) Set(text string) error {
	key, value, ok := strings.Cut(text, "=")
	if !ok || key == "" {
		return fmt.Errorf("not KEY=VALUE (write ticket[priority]=high)")
	}
	parsed := any(value)
	if f.typed {
		var err error
		if parsed, err = f.read(value); err != nil {
			return err
		}
	}
	*f.list = append(*f.list, field{key, parsed})
	return nil
}

// read gives true, false, null and numbers their type, and reads @FILE.
func (f fieldFlag) read(text string) (any, error) {
	if name, ok := strings.CutPrefix(text, "@"); ok {
		return readText(name, f.in)
	}
	switch text {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	}
	if n := json.Number(text); json.Valid([]byte(text)) && strings.Trim(text, "+-.0123456789eE") == "" {
		return n, nil
	}
	return text, nil
}

// readText reads a file, or standard input for "-".
func readText(name string, in io.Reader) (string, error) {
	if name == "-" {
		text, err := io.ReadAll(in)
		return string(text), err
	}
	text, err := os.ReadFile(name)
	return string(text), err
}

// query writes fields as a query, keys as they are.
func query(fields []field) string {
	var parts []string
	for _, f := range fields {
		text := fmt.Sprint(f.value)
		if f.value == nil {
			text = ""
		}
		parts = append(parts, url.QueryEscape(f.key)+"="+url.QueryEscape(text))
	}
	return strings.Join(parts, "&")
}

// document writes fields as a JSON object: a[b]=c is {"a":{"b":"c"}}, a[]=c
// adds to a list.
func document(fields []field) ([]byte, error) {
	root := map[string]any{}
	for _, f := range fields {
		keys, err := splitKey(f.key)
		if err != nil {
			return nil, err
		}
		if root, err = put(root, keys, f); err != nil {
			return nil, err
		}
	}
	return json.Marshal(root)
}

// splitKey reads a[b][] as a, b and "".
func splitKey(key string) ([]string, error) {
	head, rest, nested := strings.Cut(key, "[")
	keys := []string{head}
	for nested {
		var inner string
		var ok bool
		inner, rest, ok = strings.Cut(rest, "]")
		if !ok || head == "" || rest != "" && rest[0] != '[' {
			return nil, fmt.Errorf("the key %q is not of the form a[b][c]", key)
		}
		keys = append(keys, inner)
		rest, nested = strings.TrimPrefix(rest, "["), rest != ""
	}
	for i, k := range keys {
		if k == "" && i != len(keys)-1 {
			return nil, fmt.Errorf("the key %q has its [] in the middle; lists hold plain values only (use --input for others)", key)
		}
	}
	return keys, nil
}

// put returns object with the field's value under keys.
func put(object map[string]any, keys []string, f field) (map[string]any, error) {
	name, rest := keys[0], keys[1:]
	have, exists := object[name]
	switch {
	case len(rest) == 0:
		if exists {
			return nil, fmt.Errorf("the key %q is given twice", f.key)
		}
		object[name] = f.value
	case rest[0] == "":
		list, isList := have.([]any)
		if exists && !isList {
			return nil, fmt.Errorf("the key %q is a list and something else", f.key)
		}
		object[name] = append(list, f.value)
	default:
		inner, isObject := have.(map[string]any)
		if exists && !isObject {
			return nil, fmt.Errorf("the key %q is an object and something else", f.key)
		}
		if inner == nil {
			inner = map[string]any{}
		}
		inner, err := put(inner, rest, f)
		if err != nil {
			return nil, err
		}
		object[name] = inner
	}
	return object, nil
}
