package group

import (
	"os/exec"
	"strconv"
	"syscall"
)

// Own makes a command the leader of a group, which has the command's process id. A Ctrl-C on the console is not for it then.
func Own(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// Signal ends a command and what descends from it, whatever the signal: Windows has none to ask with. What a command that has
// ended left running has no tie to it any more and is not found.
func Signal(leader int, _ syscall.Signal) error {
	return exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(leader)).Run() //nolint:noctx // it comes after the context's end
}
