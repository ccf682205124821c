package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
)

// Prefix begins the name of each variable in the environment.
const Prefix = "FLYBALL_"

// A Key is one thing that can be configured.
type Key struct {
	Path     string // in the file: accounts[].clients[].weight
	Variable string // in the environment, "" for none
	Flag     string // of flyball serve, without dashes, "" for none
	// Live says that a change takes effect without a restart.
	Live bool
}

// Keys returns every key in the order of [Config].
func Keys() []Key { return keysOf(reflect.TypeFor[Config](), "", Prefix, false) }

func keysOf(t reflect.Type, path, prefix string, live bool) []Key {
	var keys []Key
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		below, live := join(path, nameOf(f)), live
		if said, ok := f.Tag.Lookup("live"); ok {
			live = said == "yes"
		}
		switch inner := f.Type; {
		case isLeaf(inner):
			k := Key{Path: below, Flag: f.Tag.Get("flag"), Live: live}
			if v := f.Tag.Get("env"); v != "" {
				k.Variable = prefix + v
			}
			keys = append(keys, k)
		case inner.Kind() == reflect.Slice:
			keys = append(keys, keysOf(inner.Elem(), below+"[]", prefix, live)...)
		default:
			keys = append(keys, keysOf(inner, below, prefix+f.Tag.Get("envPrefix"), live)...)
		}
	}
	return keys
}

// nameOf is a field's name in the file. What has none there, like a secret, is
// called as its variable is.
func nameOf(f reflect.StructField) string {
	if name := f.Tag.Get("yaml"); name != "-" {
		return name
	}
	return strings.ToLower(f.Tag.Get("env"))
}

var textType = reflect.TypeFor[encoding.TextUnmarshaler]()

// isLeaf reports whether t is written as one text, or a list of texts.
func isLeaf(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return reflect.PointerTo(t).Implements(textType)
}

// A setting is a key's value in one configuration.
type setting struct {
	path  string
	key   string // path with empty brackets
	value reflect.Value
}

// settings returns every value in c, in the order of the fields.
func (c *Config) settings() []setting { return settingsOf(reflect.ValueOf(c).Elem(), "", "") }

func settingsOf(v reflect.Value, path, key string) []setting {
	var all []setting
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		below, belowKey := join(path, nameOf(f)), join(key, nameOf(f))
		switch inner := v.Field(i); {
		case isLeaf(f.Type):
			all = append(all, setting{below, belowKey, inner})
		case f.Type.Kind() == reflect.Slice:
			for n := range inner.Len() {
				all = append(all, settingsOf(inner.Index(n), at(below, n), belowKey+"[]")...)
			}
		default:
			all = append(all, settingsOf(inner, below, belowKey)...)
		}
	}
	return all
}

// text is a value as the file has it, "" for none.
func text(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return ""
		}
		return text(v.Elem())
	case reflect.Slice:
		words := make([]string, v.Len())
		for i := range words {
			words[i] = text(v.Index(i))
		}
		return strings.Join(words, ", ")
	default:
		return fmt.Sprint(v.Interface())
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func at(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
