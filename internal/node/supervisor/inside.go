//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/podsecrets/podsecrets/internal/node/programs"
)

// node is the part inside the namespaces.
type node struct {
	options
	dir string // visible from outside too: it has the logs
	n   string // a directory in memory, visible only inside
	// stopped ends when standard input closes.
	stopped context.Context
}

// inside runs as the first process of the namespaces. When it ends, the kernel kills
// all other processes, and the mounts disappear with the last one.
func inside(o options) error {
	n := &node{options: o, dir: o.inside, n: filepath.Join(o.inside, "n")}
	ctx, cancel := context.WithCancel(context.Background())
	n.stopped = ctx
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	if err := errors.Join(os.Setenv("PATH", programs.Path(o.bin)), n.mountAll(), n.configure()); err != nil {
		return err
	}
	ended, err := n.startAll()
	if n.stopped.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Println("ready")
	select {
	case <-n.stopped.Done():
		return nil
	case name := <-ended:
		return fmt.Errorf("%s exited", name)
	}
}

// startAll starts all programs, and waits until the node is registered. The channel
// receives the name of a program that exits.
func (n *node) startAll() (<-chan string, error) {
	ended := make(chan string, 3)
	if err := n.start(ended, "containerd", "containerd", "-c", filepath.Join(n.n, "containerd.toml")); err != nil {
		return nil, err
	}
	if err := n.until(ended, time.Minute, func() error { return n.ctr("version") }); err != nil {
		return nil, fmt.Errorf("containerd: %w", err)
	}
	if err := n.ctr("images", "import", "-"); err != nil {
		return nil, err
	}
	if err := n.start(ended, "csidriver", filepath.Join(n.bin, "csidriver"), filepath.Join(n.n, "kubelet")); err != nil {
		return nil, err
	}
	if err := n.start(ended, "kubelet", filepath.Join(n.bin, "kubelet"), "--config="+filepath.Join(n.n, "kubelet.yaml"),
		"--kubeconfig="+n.kubeconfig, "--root-dir="+filepath.Join(n.n, "kubelet"), "--cert-dir="+filepath.Join(n.n, "pki"),
		"--hostname-override=node", "--v="+n.verbosity); err != nil {
		return nil, err
	}
	if err := n.until(ended, 2*time.Minute, n.registered); err != nil {
		return nil, fmt.Errorf("kubelet: %w", err)
	}
	return ended, nil
}

// ctr runs containerd's client with the images as its input.
func (n *node) ctr(args ...string) error {
	all := append([]string{"-a", filepath.Join(n.n, "containerd.sock"), "-n", "k8s.io"}, args...)
	cmd := exec.Command("ctr", all...) // #nosec G204 -- our own
	cmd.Stdin = images
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("ctr %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (n *node) registered() error {
	log, err := os.ReadFile(filepath.Join(n.dir, "log", "kubelet"))
	if err == nil && !bytes.Contains(log, []byte("Successfully registered node")) {
		err = errors.New("the node is not registered")
	}
	return err
}

// start starts a program with its own log.
func (n *node) start(ended chan<- string, name, program string, args ...string) error {
	log, err := os.Create(filepath.Join(n.dir, "log", name)) // #nosec G304 -- our own log
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if name == "csidriver" {
		cmd.Stdin = csi
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = cmd.Wait() // see its log
		ended <- name
	}()
	return nil
}

// until waits until done succeeds, while all programs run.
func (n *node) until(ended <-chan string, limit time.Duration, done func() error) error {
	timeout := time.After(limit)
	for {
		err := done()
		if err == nil {
			return nil
		}
		select {
		case <-n.stopped.Done():
			return n.stopped.Err()
		case name := <-ended:
			return fmt.Errorf("%s exited; its log ends with:\n%s", name, n.logTail(name))
		case <-timeout:
			return fmt.Errorf("timed out after %v: %w", limit, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (n *node) logTail(name string) string {
	log, err := os.ReadFile(filepath.Join(n.dir, "log", name)) // #nosec G304 -- our own log
	if err != nil {
		return err.Error()
	}
	return string(log[max(0, len(log)-4096):])
}
