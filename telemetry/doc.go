// Package telemetry turns the event stream into Prometheus metrics and an
// access log.
//
// Reach for [New] first; its [Metrics.Sink] goes into flyball.Options.OnEvent,
// the [Metrics] itself is the handler of /metrics. What a call costs here is a
// few counters; what is known of the account's buckets is read at each scrape.
// [OpenAccessLog] writes a line for each call that a gateway has served.
//
// Labels are bounded whatever clients do: routes are patterns, clients beyond
// a bound are called "other", and nothing of a credential or a path gets in.
package telemetry
