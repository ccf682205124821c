package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// tries is how often one message is posted, with so long between.
const tries = 3

var between = [tries]time.Duration{2 * time.Second, 10 * time.Second}

// post hands messages over, one after another.
func (a *Alerter) post(ctx context.Context) {
	defer a.o.Client.CloseIdleConnections()
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-a.queue:
			if err := a.deliver(ctx, m); err != nil && ctx.Err() == nil {
				a.complain(err)
			}
		}
	}
}

func (a *Alerter) deliver(ctx context.Context, m Message) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	for _, wait := range between {
		var again bool
		if again, err = a.try(ctx, text); !again || wait == 0 {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

// try posts once; again says that another try may do.
func (a *Alerter) try(ctx context.Context, text []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.o.Webhook, bytes.NewReader(text))
	if err != nil {
		return false, errors.New("the webhook is no URL")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.o.Client.Do(req)
	if err != nil {
		var wrapped *url.Error // which names the webhook
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return true, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	if resp.StatusCode/100 == 2 {
		return false, nil
	}
	return resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500, fmt.Errorf("the webhook answered %s", resp.Status)
}

// complain tells of a message that did not arrive, at most once a minute.
func (a *Alerter) complain(err error) {
	if now := time.Now(); now.Sub(a.told) >= time.Minute {
		a.told = now
		a.o.Log.Warn("alert not delivered", "error", err.Error())
	}
}
