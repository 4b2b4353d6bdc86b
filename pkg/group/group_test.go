//go:build unix

package group_test

import (
	"bufio"
	"os/exec"
	"syscall"
	"testing"

	"github.com/org/promote/pkg/group"
)

func TestASignalReachesWhatACommandStarted(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "sleep 600 & echo $!; wait")
	group.Own(cmd)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the command said nothing")
	}
	if err := group.Signal(cmd.Process.Pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	// The sleep holds the pipe; its end is the pipe's.
	if lines.Scan() {
		t.Errorf("the command went on: %q", lines.Text())
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the command ended well")
	}
}
