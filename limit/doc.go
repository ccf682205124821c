// Package limit is the vocabulary that every room shares: services, rules,
// buckets, routes, what an answer said about limits, and the Provider that
// reads all of these out of requests and responses.
//
// Reach for [Provider] first: it is the seam between flyball and an API. The
// package holds no state, no clock and no network.
package limit
