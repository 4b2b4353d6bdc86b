package world

import (
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
