//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// probe says why no node can run here. It tries what a node needs of the kernel.
// Programs that are missing are no reason where "make node" can get them.
func probe(o options) error {
	if os.Geteuid() != 0 {
		return errors.New("a node needs root")
	}
	if err := hasPrograms(o.path); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", dirPrefix)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := errors.Join(makeCgroups(cgroup(dir)), removeCgroups(cgroup(dir))); err != nil {
		return fmt.Errorf("no control groups can be made: %w", err)
	}
	cmd := inNamespaces("-probe", "-inside", dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("namespaces with mounts of their own: %w %s", err, strings.TrimPrefix(strings.TrimSpace(string(out)), "node: "))
	}
	return nil
}

func hasPrograms(path string) error {
	if _, err := exec.LookPath("apt-get"); err == nil {
		return nil
	}
	if err := os.Setenv("PATH", path); err != nil {
		return err
	}
	for _, program := range []string{"containerd", "containerd-shim-runc-v2", "ctr", "runc", "busybox"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("this is not Debian, and there is no %s: install it, or name its folder in NODE_PATH", program)
		}
	}
	return nil
}

// probeInside does with mounts what a node does, the overlays of containers
// included.
func probeInside(dir string) error {
	n := &node{dir: dir, n: filepath.Join(dir, "n")}
	if err := n.mountAll(); err != nil {
		return err
	}
	for _, d := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(filepath.Join(n.n, d), 0o700); err != nil {
			return err
		}
	}
	layers := fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", n.n)
	if err := syscall.Mount("overlay", filepath.Join(n.n, "merged"), "overlay", 0, layers); err != nil {
		return fmt.Errorf("overlay: %w", err)
	}
	return nil
}
