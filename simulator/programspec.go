package simulator

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseProgram reads a program as flyball sim writes it:
// "name=export,every=1h,after=17m,calls=350,for=45s,token=oauth". every and
// calls must be there; token is oauth, api or none.
func ParseProgram(text string) (Program, error) {
	p := Program{Name: "program"}
	for pair := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		var err error
		switch key {
		case "name":
			p.Name = value
		case "every":
			p.Every, err = time.ParseDuration(value)
		case "after":
			p.After, err = time.ParseDuration(value)
		case "for":
			p.For, err = time.ParseDuration(value)
		case "calls":
			p.Calls, err = strconv.Atoi(value)
		case "token":
			p.APIToken, p.Session = value == "api", value == "none"
			if !p.APIToken && !p.Session && value != "oauth" {
				err = fmt.Errorf("not oauth, api or none")
			}
		default:
			err = fmt.Errorf("unknown key; the keys are name, every, after, calls, for, token")
		}
		if err != nil {
			return p, fmt.Errorf("%q: %q: %w", text, pair, err)
		}
	}
	return p, p.Check()
}
