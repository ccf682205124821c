package rivals

import (
	"context"
	"fmt"
	"net/http"

	"github.com/flyballhq/flyball"
)

// flyballLabelled is flyball with each call's class and client said.
func flyballLabelled() policy {
	return policy{name: "**flyball**", dial: dialFlyball, label: func(ctx context.Context, k kind, client string) context.Context {
		class := flyball.Bulk
		if k == interactive {
			class = flyball.Interactive
		}
		return flyball.WithClient(flyball.WithClass(ctx, class), client)
	}}
}

// flyballUnlabelled is flyball by its zero options and nothing said at all; the
// interactive calls differ in their credential alone.
func flyballUnlabelled() policy {
	return policy{name: "**flyball**, nothing labelled", dial: dialFlyball}
}

// dialFlyball makes a transport of which the account alone is configured. (The
// window is of the simulated account; on Zendesk it is a minute, the default.)
func dialFlyball(t told, base http.RoundTripper) (http.RoundTripper, func()) {
	transport, err := flyball.New(flyball.Options{Account: account, Base: base, Window: t.window})
	if err != nil {
		panic(fmt.Sprintf("rivals: flyball takes no %s window of %s: %v", account, t.window, err))
	}
	return transport, func() { _ = transport.Close() }
}
