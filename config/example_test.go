package config_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/flyballhq/flyball/config"
)

// A wrong file is told of whole, each mistake with its line and the way out.
func ExampleLoad() {
	_, err := config.Load(config.Source{File: filepath.Join("testdata", "wrong", "32-many-at-once.yaml")})
	fmt.Println(err)
	// Output:
	// testdata/wrong/32-many-at-once.yaml:1: listn: there is no such key; did you mean listen?
	// testdata/wrong/32-many-at-once.yaml:2: max_wait: "50" has no unit (write 50s or 50m)
	// testdata/wrong/32-many-at-once.yaml:3: tls.cert: a certificate needs tls.key, the file with its private key
	// testdata/wrong/32-many-at-once.yaml:7: accounts[0].keep_free: 700 leaves nothing to use: the plan enterprise allows 700/min (write 15%, or fewer than 700)
	// testdata/wrong/32-many-at-once.yaml:10: accounts[0].clients[0].wieght: there is no such key; did you mean weight?
	// testdata/wrong/32-many-at-once.yaml:11: accounts[0].clients[0].class: interactive is above the ceiling, bulk (raise the ceiling, or lower the class)
}

// The environment goes over the file, flags over both, and each value knows
// where it comes from.
func ExampleConfig_Origin() {
	c, err := config.Load(config.Source{
		Account: "acme",
		Env:     func(name string) string { return map[string]string{"FLYBALL_MAX_WAIT": "20s"}[name] },
		Flags:   []config.Flag{{Name: "give-up", Value: "503"}},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	fmt.Println(c.MaxWait, c.Origin("max_wait"))
	fmt.Println(c.GiveUp, c.Origin("give_up"))
	fmt.Println(c.Listen, c.Origin("listen"))
	// Output:
	// 20s FLYBALL_MAX_WAIT
	// 503 --give-up
	// 127.0.0.1:4290 default
}
