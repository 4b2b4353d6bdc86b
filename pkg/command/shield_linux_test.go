package command

import (
	"syscall"
	"testing"
	"time"
)

func TestOthersCannotReadOurEnvironment(t *testing.T) {
	if _, _, _, err := run(t.Context(), t, "true", time.Minute); err != nil {
		t.Fatal(err)
	}
	dumpable, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_GET_DUMPABLE, 0, 0)
	if errno != 0 || dumpable != 0 {
		t.Errorf("PR_GET_DUMPABLE is %d (%v), want 0", dumpable, errno)
	}
}
