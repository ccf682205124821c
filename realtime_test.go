package flyball_test

import (
	"syscall"
	"time"
)

// realTime is the processor time spent: a bubble has no real clock.
func realTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
