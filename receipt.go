package flyball

import (
	"context"
	"net/http"

	"github.com/flyballhq/flyball/limit"
)

// A Receipt says what one call cost, and what became of it on the way.
type Receipt = limit.Receipt

// WithReceipt returns a context whose call fills to by the time that RoundTrip
// returns. It is for one call at a time.
func WithReceipt(ctx context.Context, to *Receipt) context.Context {
	return with(ctx, func(w *Wishes) { w.Receipt = to })
}

func (t *Transport) receipt(call *limit.Call, resp *http.Response) Receipt {
	r := call.Receipt()
	if resp == nil {
		return r
	}
	answer := t.provider.Read(&call.Route, resp.StatusCode, resp.Header)
	if said := answer.Readings(); len(said) > 0 {
		r.Limit, r.Left, r.Stated = said[0].Limit, said[0].Remaining, true
	}
	return r
}
