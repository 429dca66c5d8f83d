//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cgroup returns the parent of the Pods' control groups, in every hierarchy.
func cgroup(dir string) string { return "/" + filepath.Base(dir) }

// hierarchy is a mounted hierarchy of control groups.
type hierarchy struct {
	root   string
	v2     bool
	cpuset bool // groups of version 1 start without CPUs
}

func hierarchies() (all []hierarchy, err error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 3 && (f[2] == "cgroup" || f[2] == "cgroup2") {
			all = append(all, hierarchy{f[1], f[2] == "cgroup2", slices.Contains(strings.Split(f[3], ","), "cpuset")})
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no control groups are mounted")
	}
	return all, nil
}

func makeCgroups(name string) error {
	all, err := hierarchies()
	for _, h := range all {
		if err == nil {
			err = h.make(name)
		}
	}
	return err
}

func (h hierarchy) make(name string) error {
	err := os.Mkdir(h.root+name, 0o755) // #nosec G301 -- as all control groups are
	if err != nil {
		return err
	}
	switch {
	case h.v2:
		return h.delegate(name)
	case !h.cpuset:
		return nil
	}
	for _, f := range []string{"cpuset.cpus", "cpuset.mems"} {
		all, err := os.ReadFile(filepath.Join(h.root, f)) // #nosec G304 -- the kernel's
		if err == nil {
			err = os.WriteFile(filepath.Join(h.root+name, f), bytes.TrimSpace(all), 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// delegate enables all of the root's controllers in the groups below, as the kubelet
// requires. Next to hierarchies of version 1 there are none.
func (h hierarchy) delegate(name string) error {
	controllers, err := os.ReadFile(filepath.Join(h.root, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, group := range []string{h.root, h.root + name} {
		subtree := filepath.Join(group, "cgroup.subtree_control")
		enabled, err := os.ReadFile(subtree) // #nosec G304 -- the kernel's
		if err != nil {
			return err
		}
		for _, c := range strings.Fields(string(controllers)) {
			if slices.Contains(strings.Fields(string(enabled)), c) {
				continue
			}
			if err := os.WriteFile(subtree, []byte("+"+c), 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeCgroups kills the remaining processes in the groups, which the kernel is
// killing already, and removes the groups.
func removeCgroups(name string) error {
	all, err := hierarchies()
	for _, h := range all {
		err = errors.Join(err, h.remove(name))
	}
	return err
}

func (h hierarchy) remove(name string) error {
	var err error
	for range 200 {
		if err = removeTree(h.root + name); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

func removeTree(root string) error {
	var dirs []string
	_ = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, p)
		}
		return nil
	})
	var err error
	for _, dir := range slices.Backward(dirs) {
		killAll(filepath.Join(dir, "cgroup.procs"))
		if e := syscall.Rmdir(dir); e != nil && e != syscall.ENOENT {
			err = fmt.Errorf("rmdir %s: %w", dir, e)
		}
	}
	return err
}

func killAll(procs string) {
	text, _ := os.ReadFile(procs) // #nosec G304 -- the kernel's; it may be gone
	for _, f := range strings.Fields(string(text)) {
		if pid, err := strconv.Atoi(f); err == nil && pid > 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
