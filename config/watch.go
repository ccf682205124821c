package config

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long a folder must be quiet before the file is read: it is
	// often written in several steps.
	settle = 100 * time.Millisecond
	// restless is the longest that a busy folder can put the reading off.
	restless = 2 * time.Second
)

// Watch reads the file again when it changes, until ctx ends, and tells
// onChange what came of it: a Change, or an error while everything stays as it
// was. It watches folders and not the file, for editors and Kubernetes put
// another file in its place. It returns an error when the system cannot watch;
// [Live.Reload] works all the same. onChange is called by Watch's goroutine.
func (l *Live) Watch(ctx context.Context, onChange func(Change, error)) error {
	if l.source.File == "" {
		return errors.New("there is no configuration file to watch (start with --config FILE)")
	}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch %s: %w (send SIGHUP after a change)", l.source.File, err)
	}
	defer w.Close()
	if err := watchFolders(w, l.source.File); err != nil {
		return fmt.Errorf("watch %s: %w (send SIGHUP after a change)", l.source.File, err)
	}
	watch := watcher{live: l, files: w, onChange: onChange}
	watch.look() // what changed before we watched
	watch.run(ctx)
	return nil
}

type watcher struct {
	live     *Live
	files    *fsnotify.Watcher
	onChange func(Change, error)
	said     string // the read error told last
}

func (w *watcher) run(ctx context.Context) {
	var began time.Time // of the unrest, zero while all is quiet
	quiet := time.NewTimer(0)
	quiet.Stop()
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-w.files.Events:
			if !ok {
				return
			}
		case _, ok := <-w.files.Errors:
			if !ok {
				return // an overflow, mostly: events were lost, so look
			}
		case <-quiet.C:
			began = time.Time{}
			_ = watchFolders(w.files, w.live.source.File) // gone for now: its folder tells when it is back
			w.look()
			continue
		}
		if began.IsZero() {
			began = time.Now()
		}
		quiet.Reset(max(0, min(settle, restless-time.Since(began))))
	}
}

// look reads the file, and judges it if it says anything new.
func (w *watcher) look() {
	l := w.live
	read := l.reads.Add(1)
	text, err := l.source.read()
	if err != nil {
		if err.Error() != w.said {
			w.said = err.Error()
			w.onChange(Change{}, err)
		}
		return
	}
	w.said = ""
	if !l.seen(text) {
		w.onChange(l.judge(read, text))
	}
}

// watchFolders watches the file's folder and, where the file is a link, the
// folder that it leads to. The file may be missing for the moment.
func watchFolders(w *fsnotify.Watcher, file string) error {
	if err := w.Add(filepath.Dir(file)); err != nil {
		return err
	}
	target, err := filepath.EvalSymlinks(file)
	if err != nil {
		return nil //nolint:nilerr // it is not there; its folder tells when it is
	}
	if folder := filepath.Dir(target); folder != filepath.Dir(file) {
		return w.Add(folder)
	}
	return nil
}
