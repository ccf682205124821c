package config

import "strconv"

// From is a kind of place where a value is set; a later one wins.
type From uint8

// The kinds of place, the weakest first.
const (
	Default From = iota
	FromFile
	FromEnvironment
	FromFlag
)

// An Origin is where a value was set. The zero value is the default.
type Origin struct {
	From From
	Name string // the file, the variable or the flag
	Line int    // in the file; 0 when the file as a whole is meant
}

// String is "default", "flyball.yaml:12", "FLYBALL_MAX_WAIT" or "--max-wait".
func (o Origin) String() string {
	switch {
	case o.From == Default:
		return "default"
	case o.Line > 0:
		return o.Name + ":" + strconv.Itoa(o.Line)
	}
	return o.Name
}

// Origin returns where the value of a key was set. The key is a path such as
// max_wait or accounts[0].plan.
func (c *Config) Origin(key string) Origin { return c.origins[key] }
