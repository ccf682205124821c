package simulator

// stream names one independent sequence of seeded draws.
type stream uint64

const (
	streamLatency stream = iota + 1
	streamFault
	streamSkew
	streamRequestID
	streamOthers
	streamWindow
	streamOverstate
)

// mix spreads x over all 64 bits (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// draw is the n-th number of a stream. It depends on nothing else, so that
// concurrent calls cannot disturb each other's draws.
func draw(seed uint64, s stream, n uint64) uint64 {
	return mix(mix(seed^uint64(s)<<56) ^ n)
}

// unit is the n-th number of a stream in [0, 1).
func unit(seed uint64, s stream, n uint64) float64 {
	return float64(draw(seed, s, n)>>11) / (1 << 53)
}
