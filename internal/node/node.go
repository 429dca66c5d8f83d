package node

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/podsecrets/podsecrets/internal/e2e/apiserver"
	"github.com/podsecrets/podsecrets/internal/node/programs"
)

// Name is the node's name, for Pods' spec.nodeName.
const Name = "node"

// Options are the inputs of a node.
type Options struct {
	Kubeconfig string
	// Images is an archive of images, and CSI the input of the CSI driver. Both are
	// read from the start.
	Images, CSI *os.File
	// Keep is a directory to which the logs are copied at the end. Empty means none.
	Keep string
}

// Node is a running node.
type Node struct {
	// Dir is the node's directory, which has the logs.
	Dir string

	cmd   *exec.Cmd
	stdin io.Closer
	ended chan struct{} // closed when the supervisor ends
}

// Start starts a node and waits until it is registered with the API server.
func Start(o Options) (*Node, error) {
	root, err := apiserver.Root()
	if err != nil {
		return nil, err
	}
	bin := filepath.Join(root, "bin", "node")
	if _, err := programs.Find(bin, "kubelet"); err != nil {
		return nil, err
	}
	n := &Node{cmd: exec.Command(filepath.Join(bin, "supervisor"), "-kubeconfig", o.Kubeconfig, "-keep", o.Keep, bin), ended: make(chan struct{})} // #nosec G204 -- our own
	n.cmd.Stderr = os.Stderr
	n.cmd.Env = []string{"PATH=" + programs.Path(bin)} // without proxies and TMPDIR
	n.cmd.ExtraFiles = []*os.File{o.Images, o.CSI}
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C must not reach it
	if n.stdin, err = n.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	lines := make(chan string, 2)
	go n.watch(out, lines)
	if err := n.ready(lines); err != nil {
		return nil, errors.Join(err, n.Stop())
	}
	return n, nil
}

// watch reads the supervisor's output until it ends.
func (n *Node) watch(out io.Reader, lines chan<- string) {
	for s := bufio.NewScanner(out); s.Scan(); {
		select {
		case lines <- s.Text():
		default:
		}
	}
	_ = n.cmd.Wait() // see ProcessState
	close(n.ended)
}

func (n *Node) ready(lines <-chan string) error {
	const limit = 5 * time.Minute // enough on a busy machine
	timeout := time.After(limit)
	for {
		select {
		case line := <-lines:
			if line == "ready" {
				return nil
			}
			n.Dir = line
		case <-n.ended:
			return fmt.Errorf("the node exited before it was ready: %v", n.cmd.ProcessState)
		case <-timeout:
			return fmt.Errorf("the node is not ready after %v", limit)
		}
	}
}

// Stop stops the node, and waits until everything is removed.
func (n *Node) Stop() error {
	select {
	case <-n.ended:
		return fmt.Errorf("the node exited too early: %v", n.cmd.ProcessState)
	default:
	}
	_ = n.stdin.Close() // ends the supervisor
	select {
	case <-n.ended:
	case <-time.After(2 * time.Minute):
		return errors.New("the node is still running after 2m0s")
	}
	if !n.cmd.ProcessState.Success() {
		return fmt.Errorf("the node: %v", n.cmd.ProcessState)
	}
	return nil
}

// Program returns the path of a program for images: one of the node's, the Fetch
// program, or busybox.
func Program(name string) (string, error) {
	root, err := apiserver.Root()
	if err != nil {
		return "", err
	}
	return programs.Find(filepath.Join(root, "bin", "node"), name)
}
