package config

import (
	"errors"
	"strings"

	"github.com/caarlos0/env/v11"
)

// A Flag is a flag that was given on the command line.
type Flag struct {
	Name  string // without dashes, such as max-wait
	Value string
}

// overlay sets what the environment and the flags say over what the file
// said. What is an account's is set for the chosen one.
func (c *Config) overlay(src Source, mistakes *Mistakes) {
	for _, k := range Keys() {
		if value := src.env(k.Variable); value != "" {
			c.override(k, value, Origin{From: FromEnvironment, Name: k.Variable}, mistakes)
		}
		for _, f := range src.Flags {
			if f.Name == k.Flag && k.Flag != "" {
				c.override(k, f.Value, Origin{From: FromFlag, Name: "--" + f.Name}, mistakes)
			}
		}
	}
}

// override sets one key. It is given to the library alone, for an error of it
// names a field's type and not which variable is wrong.
func (c *Config) override(k Key, value string, from Origin, mistakes *Mistakes) {
	var into any = c
	path := k.Path
	if rest, ok := strings.CutPrefix(path, "accounts[]."); ok {
		account, err := c.Served()
		switch {
		case err != nil && from.From == FromFlag:
			mistakes.add(from, path, "it speaks of the account that is served: %s", err)
			return
		case err != nil:
			return // a variable may be for another command than this one
		}
		into, path = account, at("accounts", c.chosen)+"."+rest
	}
	err := env.ParseWithOptions(into, env.Options{Prefix: Prefix, Environment: map[string]string{k.Variable: value}})
	if err != nil {
		mistakes.add(from, path, "%s", cause(err))
		return
	}
	c.origins[path] = from
}

// cause is what our own reading of a value says, without the library's words.
func cause(err error) error {
	var all env.AggregateError
	if errors.As(err, &all) && len(all.Errors) > 0 {
		err = all.Errors[0]
	}
	var parse env.ParseError
	for errors.As(err, &parse) {
		err = parse.Err
	}
	return err
}
