package elide

import (
	"fmt"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// Options tunes the layer. The zero value elides nothing.
type Options struct {
	// Within is how long ago an object may have been seen for a write to be
	// compared with it; 0 elides nothing. At most 24 hours.
	//
	// Whatever changes the object in that time without coming through this
	// layer (an agent, a trigger, another program) is not seen: a write that
	// would have undone such a change is left out too. Choose a time in which
	// that does no harm.
	Within time.Duration
	// Memory is the most bytes of objects remembered; 0 means 32 MiB.
	Memory int64
}

const (
	longest       = 24 * time.Hour
	defaultMemory = 32 << 20
)

// Check reports the first mistake.
func (o Options) Check(provider limit.Provider) error {
	if o.Within < 0 || o.Within > longest {
		return fmt.Errorf("Within: %s is not between 0 and %s", o.Within, longest)
	}
	if o.Memory < 0 {
		return fmt.Errorf("Memory: %d is negative; 0 means 32 MiB", o.Memory)
	}
	if _, ok := provider.(limit.Comparer); !ok && o.Within > 0 {
		return fmt.Errorf("Within: provider %T does not say which writes change nothing; leave it out", provider)
	}
	return nil
}

// Seams are what the layer needs of the rooms around it.
type Seams struct {
	Provider limit.Provider // nothing is elided unless it is a [limit.Comparer]
	// Standing says what is left now of the limit that all calls of the
	// route's service draw on; nil is never known.
	Standing func(route *limit.Route) limit.Standing
	Sink     event.Sink
}
