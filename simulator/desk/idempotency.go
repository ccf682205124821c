package desk

import (
	"crypto/sha256"
	"net/http"
	"time"
)

// keyLife is how long an idempotency key stands for its first answer
// (zendesk-facts 8).
const keyLife = 2 * time.Hour

// maxKey is the longest idempotency key.
const maxKey = 255

type keyed struct {
	body   [sha256.Size]byte
	answer answer
	at     time.Time
	name   string
}

// keys remembers answers by their idempotency key, oldest first.
type keys struct {
	byName map[string]*keyed
	queue  []*keyed
}

func (k *keys) expire(now time.Time) {
	for len(k.queue) > 0 && now.Sub(k.queue[0].at) >= keyLife {
		delete(k.byName, k.queue[0].name)
		k.queue = k.queue[1:]
	}
}

func (k *keys) add(e *keyed) {
	if k.byName == nil {
		k.byName = map[string]*keyed{}
	}
	k.byName[e.name] = e
	k.queue = append(k.queue, e)
}

// once runs the create unless the call's Idempotency-Key has had its answer.
// Only what succeeded is remembered: what becomes of refusals is not
// published.
func (c *call) once(create func() answer) answer {
	name := c.Header.Get("Idempotency-Key")
	if name == "" {
		return create()
	}
	if len(name) > maxKey {
		return *fail(http.StatusBadRequest, "IdempotentRequestError", "Idempotency key cannot be longer than 255 characters")
	}
	c.keys.expire(c.now)
	sum := sha256.Sum256(c.Body)
	if e := c.keys.byName[name]; e != nil {
		if e.body != sum {
			return *fail(http.StatusBadRequest, "IdempotentRequestError", "Request parameters don't match the given idempotency key")
		}
		return e.answer.lookup("hit")
	}
	a := create()
	if a.status == http.StatusCreated {
		c.keys.add(&keyed{name: name, body: sum, answer: a, at: c.now})
	}
	return a.lookup("miss")
}

func (a answer) lookup(result string) answer {
	a.header = http.Header{"X-Idempotency-Lookup": {result}}
	return a
}
