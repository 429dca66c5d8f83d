//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// sysctls are the settings that the kubelet requires. It would change them for the
// whole machine, so it gets files that show them as set.
var sysctls = map[string]string{
	"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
	"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
}

// mountAll mounts memory over the directories that containerd and the kubelet write
// to, visible only inside the namespaces.
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
	err := os.MkdirAll(dir, 0o755) // #nosec G301 -- other users need access
	if err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("tmpfs %s: %w", dir, err)
	}
	return nil
}
