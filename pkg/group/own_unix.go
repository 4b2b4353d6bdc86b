//go:build unix

package group

import (
	"os/exec"
	"syscall"
)

// Own makes a command the leader of a group, which has the command's process id.
func Own(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// Signal sends a signal to every process of a group.
func Signal(leader int, signal syscall.Signal) error { return syscall.Kill(-leader, signal) }
