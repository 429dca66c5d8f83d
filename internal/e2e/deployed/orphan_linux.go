package deployed

import "syscall"

// endsWithParent makes a child process end when this one does, even if killed.
func endsWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
