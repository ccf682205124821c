package cli

import (
	"log/slog"

	"github.com/flyballhq/flyball/config"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/telemetry"
)

// A witness tells of calls in figures and lines: what flyball serve makes of
// the event stream.
type witness struct {
	metrics *telemetry.Metrics
	access  *telemetry.AccessLog // nil without one
}

func newWitness(s Streams, c *config.Config, log *slog.Logger) (*witness, error) {
	w := &witness{metrics: telemetry.New(telemetry.Options{Version: version(), Clients: c.ClientNames()})}
	var err error
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
	return w, nil
}

// sink takes the events.
func (w *witness) sink() event.Sink {
	if w.access == nil {
		return w.metrics.Sink()
	}
	return event.All(w.metrics.Sink(), w.access.Sink())
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

func (w *witness) close() error {
	if w.access == nil {
		return nil
	}
	return w.access.Close()
}
