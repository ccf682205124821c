package cli

import (
	"context"

	"github.com/flyballhq/flyball/admin"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/usage"
)

// seen is what the demo's dashboard shows of its gateway.
type seen struct {
	snapshot func() limit.Snapshot
	usage    *usage.History
	events   *admin.Events
}

func newSeen(snapshot func() limit.Snapshot) (*seen, error) {
	history, err := usage.New(usage.Options{Snapshot: snapshot})
	if err != nil {
		return nil, err
	}
	return &seen{snapshot: snapshot, usage: history, events: admin.NewEvents(snapshot, history, version())}, nil
}

func (v *seen) sink() event.Sink { return event.All(v.usage.Take, v.events.Take) }

// show serves the dashboard on a free port of the loopback until the side is
// closed. The events end before the address that streams them.
func (s *side) show(ctx context.Context, v *seen) error {
	handler, err := admin.New(admin.Options{Snapshot: v.snapshot, Version: version(), Usage: v.usage, Events: v.events})
	if err != nil {
		return err
	}
	l, err := listen(ctx, "--admin", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.dashboard = "http://" + l.Addr().String() + "/"
	s.start(ctx, func(ctx context.Context) error { return admin.Serve(ctx, l, handler) })
	s.start(ctx, func(ctx context.Context) error { v.usage.Run(ctx); return nil })
	s.start(ctx, func(ctx context.Context) error { v.events.Run(ctx); return nil })
	return nil
}
