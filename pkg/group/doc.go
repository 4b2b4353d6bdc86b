// Package group starts a command so that it and all it starts can be ended together: in a process group of its own.
//
// It refuses nothing, and finds no process that left its group.
//
//	group.Own(cmd)
//	cmd.Cancel = func() error { return group.Signal(cmd.Process.Pid, syscall.SIGTERM) }
package group
