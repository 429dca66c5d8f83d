//go:build !linux

package deployed

import "syscall"

// endsWithParent is for Linux only.
func endsWithParent() *syscall.SysProcAttr { return nil }
