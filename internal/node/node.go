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

// Name is the name of the node, for Pods to name.
const Name = "node"

// Options are what a node is made of.
type Options struct {
	Kubeconfig string
	// Images is an archive of images, CSI what the CSI driver serves, both from
	// their beginnings.
	Images, CSI *os.File
	// Keep is a folder that gets the logs in the end. Empty means none.
	Keep string
}

// Node is a node that runs.
type Node struct {
	// Dir is the node's folder. The logs are in it.
	Dir string

	cmd   *exec.Cmd
	stdin io.Closer
	ended chan struct{} // closed when the supervisor has ended
}

// Start starts a node and returns when the API server knows it.
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
	n.cmd.Env = []string{"PATH=" + programs.Path(bin)} // no proxies, and a short path of temporary files
	n.cmd.ExtraFiles = []*os.File{o.Images, o.CSI}
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a key that interrupts the test does not reach it
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

// watch reads what the supervisor prints, until it ends.
func (n *Node) watch(out io.Reader, lines chan<- string) {
	for s := bufio.NewScanner(out); s.Scan(); {
		select {
		case lines <- s.Text():
		default:
		}
	}
	_ = n.cmd.Wait() // ProcessState says the same
	close(n.ended)
}

func (n *Node) ready(lines <-chan string) error {
	timeout := time.After(5 * time.Minute) // a busy machine needs it
	for {
		select {
		case line := <-lines:
			if line == "ready" {
				return nil
			}
			n.Dir = line
		case <-n.ended:
			return fmt.Errorf("the node ended before it was ready: %v", n.cmd.ProcessState)
		case <-timeout:
			return errors.New("the node is not ready")
		}
	}
}

// Stop stops the node, and returns when nothing is left of it.
func (n *Node) Stop() error {
	select {
	case <-n.ended:
		return fmt.Errorf("the node ended too early: %v", n.cmd.ProcessState)
	default:
	}
	_ = n.stdin.Close() // what it waits for
	select {
	case <-n.ended:
	case <-time.After(2 * time.Minute):
		return errors.New("the node is still there")
	}
	if !n.cmd.ProcessState.Success() {
		return fmt.Errorf("the node: %v", n.cmd.ProcessState)
	}
	return nil
}

// Program returns the file of a program that an image needs: one of the node's, the
// Fetch program, or busybox.
func Program(name string) (string, error) {
	root, err := apiserver.Root()
	if err != nil {
		return "", err
	}
	return programs.Find(filepath.Join(root, "bin", "node"), name)
}
