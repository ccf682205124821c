package flyball

import (
	"strconv"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// serverTiming says how long the call was held, for which limit, and how long
// the server took: hold;dur=8300;desc="tickets-index", upstream;dur=181
// (https://www.w3.org/TR/server-timing/, durations in milliseconds).
func serverTiming(call *limit.Call) string {
	b := make([]byte, 0, 96)
	if call.Held > 0 {
		b = append(b, "hold;dur="...)
		b = appendMillis(b, call.Held)
		b = append(b, `;desc="`...)
		b = appendQuoted(b, call.HeldFor.Bucket.ID)
		b = append(b, `", `...)
	}
	b = append(b, "upstream;dur="...)
	b = appendMillis(b, call.Upstream)
	return string(b)
}

func appendMillis(b []byte, d time.Duration) []byte {
	return strconv.AppendInt(b, d.Milliseconds(), 10)
}

// appendQuoted leaves out what a quoted string may not hold as it is: a
// bucket's name may come from a header.
func appendQuoted(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			b = append(b, c)
		}
	}
	return b
}
