package command

import "syscall"

// shield keeps other processes of the same user out of this one's memory and environment, where tokens and keys are: code from
// a pull request runs as the runner's user and could read /proc/<our pid>/environ. See PR_SET_DUMPABLE in prctl(2). It does
// not stop root, and what the command starts is as open as ever.
func shield() {
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0)
}
