package retry

import (
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"time"

	"github.com/flyballhq/flyball/limit"
)

const (
	firstStep   = 500 * time.Millisecond
	longestStep = 30 * time.Second
	// longestWait bounds one wait after a fault when neither deadline nor
	// context does: a server that asks for more is not waited for.
	longestWait = 2 * time.Minute
	// leastAsked is the least wait once the server asked for one: a
	// Retry-After of 0 is no leave to hurry.
	leastAsked = time.Second
)

// backoff returns how long to wait before the repeat after faults earlier
// ones: full jitter, on top of what the server asked for.
func backoff(faults int, answer limit.Answer) time.Duration {
	step := min(firstStep<<min(faults, 10), longestStep)
	wait := rand.N(step)
	if answer.HasRetryAfter {
		wait += max(answer.RetryAfter, leastAsked)
	}
	return wait
}

// hopeless reports whether the same send would meet the same error: a host
// that does not exist, a certificate that does not hold.
func hopeless(err error) bool {
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return true
	}
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}
