package node

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/podsecrets/podsecrets/internal/e2e/apiserver"
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
	if _, err := os.Stat(filepath.Join(bin, "kubelet")); err != nil {
		return nil, fmt.Errorf(`the node's programs are missing: run "make node" in the root of the repository: %w`, err)
	}
	n := &Node{cmd: exec.Command(filepath.Join(bin, "supervisor"), "-kubeconfig", o.Kubeconfig, "-keep", o.Keep, bin), ended: make(chan struct{})}
	n.cmd.Stderr = os.Stderr
	n.cmd.Env = []string{"PATH=" + searchPath(bin)} // no proxies, and a short path of temporary files
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
	n.stdin.Close() // what it waits for
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

// searchPath is where containerd, runc and what they call are.
func searchPath(bin string) string {
	debian := filepath.Join(bin, "debian")
	all := []string{filepath.Join(debian, "usr/bin"), filepath.Join(debian, "usr/sbin"), filepath.Join(debian, "bin"), "/usr/sbin", "/usr/bin", "/sbin", "/bin"}
	if own := os.Getenv("NODE_PATH"); own != "" {
		all = append([]string{own}, all...)
	}
	return strings.Join(all, ":")
}

// Program returns the path of a program that an image needs: one of the node's, the
// Fetch program, or busybox.
func Program(name string) (string, error) {
	root, err := apiserver.Root()
	if err != nil {
		return "", err
	}
	node := filepath.Join(root, "bin", "node")
	folders := strings.Join([]string{node, filepath.Join(root, "bin"), searchPath(node), os.Getenv("PATH")}, ":")
	for _, folder := range filepath.SplitList(folders) {
		file := filepath.Join(folder, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file, nil
		}
	}
	return "", fmt.Errorf(`there is no program %s: run "make node"`, name)
}
