package deployed

import "syscall"

// endsWithParent has a process end when this one does, however that happens.
func endsWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
