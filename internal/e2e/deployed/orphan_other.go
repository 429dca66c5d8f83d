//go:build !linux

package deployed

import "syscall"

// endsWithParent works on Linux only.
func endsWithParent() *syscall.SysProcAttr { return nil }
