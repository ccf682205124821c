package gateway

import (
	"log/slog"
	"sync"
)

// manyStrangers bounds the unknown hosts that are remembered and logged.
const manyStrangers = 16

// strangers are the Host names that clients used and nobody listed.
type strangers struct {
	mu   sync.Mutex
	seen map[string]bool
}

// warn writes one line about host, the first time it is seen.
func (s *strangers) warn(log *slog.Logger, host string) {
	s.mu.Lock()
	known := s.seen[host] || len(s.seen) >= manyStrangers
	if !known {
		if s.seen == nil {
			s.seen = make(map[string]bool)
		}
		s.seen[host] = true
	}
	s.mu.Unlock()
	if !known {
		log.Warn("unknown Host: links lead to the listener's address instead; if clients know the gateway by this name, set --public-url", "host", scrub(host))
	}
}
