package retry

import "net/http"

// Used returns the bytes that bodies take now, in memory and on disk.
func Used(rt http.RoundTripper) (memory, disk int64) {
	return rt.(*transport).bodies.used()
}
