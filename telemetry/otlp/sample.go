package otlp

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// A sampler says which traces are sent: OTEL_TRACES_SAMPLER.
type sampler struct {
	heedsParent bool
	below       uint64 // of traces that begin here, those whose id is less
}

// newSampler reads the specification's names; "" is parentbased_always_on.
func newSampler(env func(string) string) (sampler, error) {
	name := env("OTEL_TRACES_SAMPLER")
	how, heeds := strings.CutPrefix(name, "parentbased_")
	s := sampler{heedsParent: heeds || name == "", below: 1 << 63}
	switch how {
	case "", "always_on":
	case "always_off":
		s.below = 0
	case "traceidratio":
		text := env("OTEL_TRACES_SAMPLER_ARG")
		if text == "" {
			break
		}
		ratio, err := strconv.ParseFloat(text, 64)
		if err != nil || !(ratio >= 0 && ratio <= 1) {
			return s, fmt.Errorf("OTEL_TRACES_SAMPLER_ARG=%s: it is not a number from 0 to 1", text)
		}
		s.below = uint64(ratio * (1 << 63))
	default:
		return s, fmt.Errorf("OTEL_TRACES_SAMPLER=%s: write always_on, always_off or traceidratio, with or without parentbased_ before it", name)
	}
	return s, nil
}

// takes decides by the trace's id, as the library does, so that all programs
// on a call's way decide alike.
func (s sampler) takes(trace []byte, parentSampled, hasParent bool) bool {
	if hasParent && s.heedsParent {
		return parentSampled
	}
	return binary.BigEndian.Uint64(trace[8:])>>1 < s.below
}
