package retry_test

import (
	"testing"
	"testing/synctest"

	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/retry"
)

func TestRefusedPostIsSentAgainWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := &wire{steps: []step{answers(429, "slow down"), answers(503, "too many"), answers(201, "made")}}
		req, _ := request(t, "POST", `{"ticket":1}`, limit.Route{})
		resp, err := retry.New(retry.Options{Provider: provider{}})(below).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if got := text(t, resp); resp.StatusCode != 201 || got != "made" {
			t.Errorf("answer = %d %q, want 201 made", resp.StatusCode, got)
		}
		for i, s := range below.sends {
			if s.body != `{"ticket":1}` || s.req.ContentLength != 12 {
				t.Errorf("send %d: body %q of length %d", i, s.body, s.req.ContentLength)
			}
		}
		if len(below.sends) != 3 || below.open != 0 {
			t.Errorf("%d sends, %d answers left open; want 3, 0", len(below.sends), below.open)
		}
	})
}
