package config

import (
	"context"
	"net/http"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/gateway"
)

type decisionKey struct{}

// Decide returns a handler that decides each call by the settings in force
// when it comes, and hands it to next, a gateway whose Options have [Label].
func (l *Live) Decide(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d := l.Settings().Decide(r)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), decisionKey{}, d)))
	})
}

// Label is a gateway's Label for calls that came through [Live.Decide]: what
// the configuration says of a call, with what its caller asked for, goes to
// the transport. It is the one place where a [Decision] is connected.
func Label(ctx context.Context, ask gateway.Ask) context.Context {
	d, ok := ctx.Value(decisionKey{}).(Decision)
	if !ok {
		d = Decision{Class: ask.Class, HasClass: ask.HasClass, Ceiling: flyball.Interactive, MaxWait: ask.MaxWait}
	}
	client := ask.Client
	if d.Policy != nil {
		client = d.Policy.Name
		ctx = flyball.WithWeight(ctx, d.Policy.Weight)
	}
	if class, said := d.class(ask); said {
		ctx = flyball.WithClass(ctx, class)
	}
	return flyball.WithMaxWait(flyball.WithClient(ctx, client), d.wait(ask))
}

// class is the one the caller asked for, at most as urgent as the ceiling;
// else what the configuration says.
func (d Decision) class(ask gateway.Ask) (flyball.Class, bool) {
	switch {
	case !ask.HasClass:
		return d.Class, d.HasClass
	case urgency(ask.Class) > urgency(d.Ceiling):
		return d.Ceiling, true
	}
	return ask.Class, true
}

// wait is the configuration's, or less if the caller asked for less.
func (d Decision) wait(ask gateway.Ask) time.Duration {
	if ask.Waits {
		return min(ask.MaxWait, d.MaxWait)
	}
	return d.MaxWait
}
