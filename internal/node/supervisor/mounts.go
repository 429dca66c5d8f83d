//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// sysctls are those that the kubelet wants. It would set them for the whole
// machine, so it is shown files that say they are set.
var sysctls = map[string]string{
	"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
	"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
}

// mountAll hides what containerd and the kubelet would leave in the file system:
// all of it is in memory, and seen only here.
func (n *node) mountAll() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("proc: %w", err)
	}
	for _, d := range []string{n.n, "/run", "/var/log", "/var/lib"} { // libcni writes below /var/lib
		if err := mountMemory(d); err != nil {
			return err
		}
	}
	for name, value := range sysctls {
		file := filepath.Join(n.n, strings.ReplaceAll(name, "/", "."))
		if err := os.WriteFile(file, []byte(value+"\n"), 0o600); err != nil {
			return err
		}
		if err := syscall.Mount(file, "/proc/sys/"+name, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func mountMemory(dir string) error {
	err := os.MkdirAll(dir, 0o755) // #nosec G301 -- others come in
	if err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("tmpfs %s: %w", dir, err)
	}
	return nil
}
