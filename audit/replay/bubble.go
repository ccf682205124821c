package replay

import (
	"fmt"
	"testing"
	"testing/synctest"
)

// bubble runs f in virtual time: it waits for nothing, and its clock stands
// still while it works. Package synctest is made for tests and asks for a
// testing.T; an empty one serves as long as f reports nothing to it. Why this
// and not a faster clock: docs/decisions/audit.md.
func bubble(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil { // a deadlock, which is a mistake of ours
			err = fmt.Errorf("replay: %v (please report this, with the log if you can)", p)
		}
	}()
	var t testing.T
	synctest.Test(&t, func(*testing.T) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("replay: %v (please report this, with the log if you can)", p)
			}
		}()
		err = f()
	})
	return err
}
