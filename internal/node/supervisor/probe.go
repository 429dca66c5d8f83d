//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/podsecrets/podsecrets/internal/node/programs"
)

// probe runs a container as a node does. The error says why no node can run here.
func probe(o options) (err error) {
	if os.Geteuid() != 0 {
		return errors.New("a node requires root")
	}
	if err := programs.Missing(o.bin); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", dirPrefix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeCgroups(cgroup(dir)), os.RemoveAll(dir)) }()
	if err := makeCgroups(cgroup(dir)); err != nil {
		return fmt.Errorf("cannot create control groups: %w", err)
	}
	out, err := inNamespaces("-probe", "-inside", dir, o.bin).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot run a container: %w: %s", err, strings.Join(strings.Fields(string(out)), " "))
	}
	return nil
}

func probeInside(o options) error {
	n := &node{options: o, dir: o.inside, n: filepath.Join(o.inside, "n")}
	if err := n.mountAll(); err != nil {
		return err
	}
	for _, d := range []string{"lower", "upper", "work", "bundle/rootfs"} {
		if err := os.MkdirAll(filepath.Join(n.n, d), 0o700); err != nil {
			return err
		}
	}
	layers := fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", n.n)
	if err := syscall.Mount("overlay", filepath.Join(n.n, "bundle/rootfs"), "overlay", 0, layers); err != nil {
		return fmt.Errorf("overlay: %w", err)
	}
	return n.probeContainer(filepath.Join(n.n, "bundle"))
}

// probeContainer runs an empty container with limits.
func (n *node) probeContainer(bundle string) error {
	busybox, err := programs.Find(n.bin, "busybox")
	if err != nil {
		return err
	}
	program, err := os.ReadFile(busybox) // #nosec G304 -- the package's
	if err != nil {
		return err
	}
	err = os.WriteFile(filepath.Join(bundle, "rootfs/busybox"), program, 0o700) // #nosec G306 -- a program
	if err != nil {
		return err
	}
	runc, err := programs.Find(n.bin, "runc")
	if err != nil {
		return err
	}
	if err := command(runc, "spec", "-b", bundle); err != nil {
		return err
	}
	if err := editSpec(filepath.Join(bundle, "config.json"), cgroup(n.dir)+"/probe"); err != nil {
		return err
	}
	return command(runc, "--root", filepath.Join(n.n, "runc"), "run", "-b", bundle, "probe")
}

// editSpec changes what "runc spec" wrote.
func editSpec(file, group string) error {
	raw, err := os.ReadFile(file) // #nosec G304 -- just written
	if err != nil {
		return err
	}
	var spec map[string]any
	if err := json.Unmarshal(raw, &spec); err != nil {
		return err
	}
	process, ok := spec["process"].(map[string]any)
	linux, ok2 := spec["linux"].(map[string]any)
	if !ok || !ok2 {
		return errors.New("runc spec: process or linux is missing")
	}
	process["terminal"], process["args"] = false, []string{"/busybox", "true"}
	linux["cgroupsPath"] = group
	linux["resources"] = map[string]any{
		"memory": map[string]any{"limit": 64 << 20}, "cpu": map[string]any{"shares": 100}, "pids": map[string]any{"limit": 100},
	}
	if raw, err = json.Marshal(spec); err != nil {
		return err
	}
	return os.WriteFile(file, raw, 0o600) // #nosec G703 -- just read
}

func command(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput() // #nosec G204 -- our own
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", filepath.Base(name), args[0], err, out)
	}
	return nil
}
