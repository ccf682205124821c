// Package alert tells a webhook of what somebody should look at, for accounts
// without Prometheus: a bucket near its limit window after window, clients that
// are refused, others who take more than their share.
//
// Reach for [New] first; its [Alerter.Sink] goes into flyball.Options.OnEvent.
// It watches snapshots and events, judges them ([watch]) apart from posting,
// and never holds a call back.
package alert
