// Package otlp sends a trace of each call, and the metrics of package
// telemetry, to an OpenTelemetry collector.
//
// Reach for [Start] first. It is configured by the standard OTEL_* variables
// alone; where they name no collector there is nothing, and a call costs
// nothing. A call is a span; what held it, each send, each wait before another
// try, and what spared a send are spans below it. The trace context that a
// client sends goes on to Zendesk as it came.
package otlp
