package flight_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/flight"
)

type result struct {
	value string
	err   error
}

func wait(ctx context.Context, f *flight.Flight[string]) <-chan result {
	got := make(chan result, 1)
	go func() {
		value, err := f.Wait(ctx)
		got <- result{value, err}
	}()
	return got
}

func TestTheWorkOutlivesTheCallerWhoBeganIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := flight.Start(func(ctx context.Context) (string, error) {
			select {
			case <-time.After(time.Second):
				return "done", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		})
		if !f.Join() {
			t.Fatal("a flight under way cannot be joined")
		}
		ctx, leave := context.WithCancel(t.Context())
		first, second := wait(ctx, f), wait(t.Context(), f)
		synctest.Wait()
		leave()
		if got := <-first; !errors.Is(got.err, context.Canceled) {
			t.Errorf("who left got %v, want its own context's error", got.err)
		}
		if got := <-second; got.value != "done" || got.err != nil {
			t.Errorf("who stayed got %q, %v", got.value, got.err)
		}
	})
}

func TestTheLastToLeaveEndsTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		f := flight.Start(func(ctx context.Context) (string, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return "", ctx.Err()
		})
		ctx, leave := context.WithCancel(t.Context())
		got := wait(ctx, f)
		leave()
		<-got
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the work ended with %v", err)
		}
		if f.Join() {
			t.Error("a flight that everybody left was joined")
		}
	})
}

func TestAPanicReachesAllAsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := flight.Start(func(context.Context) (string, error) { panic("boom") })
		f.Join()
		for _, got := range []<-chan result{wait(t.Context(), f), wait(t.Context(), f)} {
			var fault *flight.Panic
			if r := <-got; !errors.As(r.err, &fault) || fault.Value != "boom" || len(fault.Stack) == 0 {
				t.Errorf("got %v, want the panic", r.err)
			}
		}
	})
}

type key struct{}

func TestNoValueOfTheCallersReachesTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.WithValue(t.Context(), key{}, "the caller's trace")
		f := flight.Start(func(ctx context.Context) (string, error) {
			value, _ := ctx.Value(key{}).(string)
			return value, nil
		})
		if value, err := f.Wait(ctx); value != "" || err != nil {
			t.Errorf("the work saw %q, %v", value, err)
		}
	})
}
