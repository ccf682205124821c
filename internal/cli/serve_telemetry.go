package cli

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/flyballhq/flyball/alert"
	"github.com/flyballhq/flyball/config"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/telemetry"
	"github.com/flyballhq/flyball/telemetry/otlp"
)

// A witness tells of calls in figures and lines: what flyball serve makes of
// the event stream.
type witness struct {
	metrics *telemetry.Metrics
	access  *telemetry.AccessLog // nil without one
	export  *otlp.Exporter       // nil where OTEL_* names no collector
	alerts  *alert.Alerter       // nil without a webhook
	log     *slog.Logger
}

func newWitness(s Streams, c *config.Config, snapshot func() limit.Snapshot, log *slog.Logger) (*witness, error) {
	w := &witness{metrics: telemetry.New(telemetry.Options{Version: version(), Clients: c.ClientNames()}), log: log}
	var err error
	w.export, err = otlp.Start(otlp.Options{Env: s.Env, Version: version(), Metrics: w.metrics.Gatherer(), Log: log})
	if err != nil {
		return nil, err
	}
	o := telemetry.AccessOptions{Sample: float64(c.AccessLog.Sample), Log: log}
	switch c.AccessLog.File {
	case "":
	case "-":
		w.access, err = telemetry.StreamAccessLog(s.Out, o)
	default:
		w.access, err = telemetry.OpenAccessLog(string(c.AccessLog.File), o)
	}
	if err != nil {
		return nil, err
	}
	if w.access != nil {
		w.metrics.CountDropped(w.access)
	}
	if w.alerts, err = newAlerter(c, snapshot, log); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// newAlerter returns nil where nobody is to be told.
func newAlerter(c *config.Config, snapshot func() limit.Snapshot, log *slog.Logger) (*alert.Alerter, error) {
	o, err := c.AlertOptions()
	if o.Webhook == "" || err != nil {
		return nil, err
	}
	o.Snapshot, o.Log = snapshot, log
	a, err := alert.New(o)
	if errors.Is(err, alert.ErrWebhook) {
		err = errors.New("what alerts.webhook_file or FLYBALL_ALERTS_WEBHOOK holds is not a URL such as https://hooks.example.com/abc")
	}
	return a, err
}

// start begins to look at the account, which is there now.
func (w *witness) start(snapshot func() limit.Snapshot) {
	w.metrics.ReadSnapshot(snapshot)
	if w.alerts != nil {
		w.alerts.Start()
	}
}

// sink takes the events.
func (w *witness) sink() event.Sink {
	all := []event.Sink{w.metrics.Sink(), w.export.Sink()}
	if w.access != nil {
		all = append(all, w.access.Sink())
	}
	if w.alerts != nil {
		all = append(all, w.alerts.Sink())
	}
	return event.All(all...)
}

// served takes the calls that the gateway has finished with.
func (w *witness) served(s event.Served) {
	w.metrics.Served(s)
	if w.access != nil {
		w.access.Served(s)
	}
}

// reopen is what SIGHUP does to the access log, nil when there is no file.
func (w *witness) reopen() func() {
	if w.access == nil {
		return nil
	}
	return w.access.Reopen
}

// flush is how long the collector may take at the end.
const flush = 5 * time.Second

// close writes and sends what is waiting. What does not go out is logged.
func (w *witness) close() {
	if w == nil {
		return
	}
	if w.alerts != nil {
		w.alerts.Close()
	}
	if w.access != nil {
		_ = w.access.Close() // it has told the log
	}
	if w.export != nil {
		ctx, cancel := context.WithTimeout(context.Background(), flush)
		defer cancel()
		if err := w.export.Close(ctx); err != nil {
			w.log.Warn("traces or metrics not exported", "error", err.Error())
		}
	}
}
