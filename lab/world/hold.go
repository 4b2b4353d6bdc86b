package world

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Hold keeps the API server as it is for as long as a test needs it: several may hold it together, and one that takes it away
// holds it alone. It waits for its turn; release gives it back. Tests of different packages run at the same time.
func (w World) Hold(alone bool) (release func(), err error) {
	file, err := os.OpenFile(filepath.Join(w.StateDir, "api-server.hold"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("holding the API server: %w", err)
	}
	how := syscall.LOCK_SH
	if alone {
		how = syscall.LOCK_EX
	}
	if err := syscall.Flock(int(file.Fd()), how); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("holding the API server: %w", err)
	}
	return func() { _ = file.Close() }, nil
}

// HoldEnvironments keeps the three environments for one play: a second one would take away what the first has made. It does not wait,
// since a play takes minutes; the error says what to do. release gives them back, as the end of the process does.
func (w World) HoldEnvironments() (release func(), err error) {
	file, err := os.OpenFile(filepath.Join(w.StateDir, "environments.hold"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("holding the environments: %w", err)
	}
	switch err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		_ = file.Close()
		return nil, fmt.Errorf("another demo plays in the environments of this lab: wait for its end, or end it (fuser %s names its process)", file.Name())
	case err != nil:
		_ = file.Close()
		return nil, fmt.Errorf("holding the environments: %w", err)
	}
	return func() { _ = file.Close() }, nil
}
