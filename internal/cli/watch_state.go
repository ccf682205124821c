package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/flyballhq/flyball/watch"
)

// readWatchState reads what an earlier watch kept; no name and no such file are
// nothing kept.
func readWatchState(name, account string, window time.Duration) (watch.State, error) {
	fresh := watch.State{Account: account, Window: window}
	if name == "" {
		return fresh, nil
	}
	text, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fresh, saveWatchState(name, &fresh) // now, not after hours
	case err != nil:
		return fresh, fmt.Errorf("%w (name a file that can be read and written)", err)
	}
	var state watch.State
	if err := json.Unmarshal(text, &state); err != nil {
		return fresh, fmt.Errorf("it is not a watch's state: %w (name another file, or move this one away)", err)
	}
	if err := state.Check(account, window); err != nil {
		return fresh, fmt.Errorf("%w (name another file, or move this one away)", err)
	}
	return state, nil
}

// saveWatchState puts the state in the file's place at once, so that a reader
// sees the old or the new and never a half. Only its owner may read it.
func saveWatchState(name string, state *watch.State) error {
	text, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("%w (name a file in a folder that can be written)", err)
	}
	_, err = file.Write(append(text, '\n'))
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return fmt.Errorf("write the state: %w (what was kept before is still there)", err)
	}
	return nil
}
