package cli

import (
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"

	"github.com/flyballhq/flyball/audit"
)

// plainEvery is how often progress is told where nobody watches a bar.
const plainEvery = 5 * time.Second

// watchReading tells how far the reading is: a bar on a terminal, else a line
// now and then. Call stop when it is over.
func watchReading(s Streams) (tell audit.Progress, stop func()) {
	if isTerminal(s.Err) {
		return readingBar(s)
	}
	last := time.Now()
	return func(read, total int64, calls int) {
		if time.Since(last) < plainEvery {
			return
		}
		last = time.Now()
		if total > 0 {
			fmt.Fprintf(s.Err, "read %d of %d MB, %s calls\n", read>>20, total>>20, grouped(calls))
			return
		}
		fmt.Fprintf(s.Err, "read %d MB, %s calls\n", read>>20, grouped(calls))
	}, func() {}
}

// readingBar draws a bar until stop, which leaves nothing of it behind.
func readingBar(s Streams) (tell audit.Progress, stop func()) {
	bar := progress.NewWriter()
	bar.SetOutputWriter(s.Err)
	bar.SetAutoStop(false)
	bar.SetTrackerLength(30)
	bar.SetUpdateFrequency(200 * time.Millisecond)
	bar.Style().Visibility.Value = true
	bar.Style().Visibility.ETA = true
	tracker := &progress.Tracker{Message: "reading", Units: progress.UnitsBytes, RemoveOnCompletion: true}
	bar.AppendTracker(tracker)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		bar.Render()
	}()
	return func(read, total int64, calls int) {
			tracker.UpdateTotal(total)
			tracker.SetValue(read)
			tracker.UpdateMessage(grouped(calls) + " calls read")
		}, func() {
			tracker.MarkAsDone()
			bar.Stop()
			<-ended
		}
}
