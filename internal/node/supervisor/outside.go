//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
)

// dirPrefix starts the names of nodes' directories and control groups.
const dirPrefix = "podsecrets-node-"

// The inputs besides standard input.
var (
	images = os.NewFile(3, "images")
	csi    = os.NewFile(4, "csi")
)

// outside runs a node, and returns when everything is removed.
func outside(o options) error {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP) // only closing standard input stops it
	dir, err := os.MkdirTemp("", dirPrefix)
	if err != nil {
		return err
	}
	cleaner, err := startCleaner(dir)
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	fmt.Println(dir)
	err = runNode(o, dir)
	if o.keep != "" {
		err = errors.Join(err, os.CopyFS(o.keep, os.DirFS(filepath.Join(dir, "log"))))
	}
	return errors.Join(err, cleaner())
}

func runNode(o options, dir string) error {
	// Containers' programs run as other users.
	err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(filepath.Join(dir, "log"), 0o755), makeCgroups(cgroup(dir))) // #nosec G301 G302 -- other users need access
	if err != nil {
		return err
	}
	cmd := inNamespaces(append([]string{"-inside", dir}, os.Args[1:]...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = os.Stdin, os.Stdout, os.Stderr, []*os.File{images, csi}
	if err := startOnLivingThread(cmd); err != nil {
		return err
	}
	return cmd.Wait()
}

// inNamespaces runs this program as the first process of new namespaces. The kernel
// kills it when this process ends.
func inNamespaces(args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
	}
	return cmd
}

// startOnLivingThread starts a command from a thread that never ends: Pdeathsig
// applies when the thread ends, not the process.
func startOnLivingThread(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		started <- cmd.Start()
		select {}
	}()
	return <-started
}

// startCleaner starts the process that removes everything. The returned function
// triggers it and waits for it.
func startCleaner(dir string) (func() error, error) {
	cmd := exec.Command("/proc/self/exe", "-clean", dir)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // survives a kill of this process group
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() error {
		return errors.Join(stdin.Close(), cmd.Wait())
	}, nil
}

// clean waits until the process at the other end of standard input ends, and then
// removes the node's control groups and directory.
func clean(dir string) error {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	_, _ = io.Copy(io.Discard, os.Stdin)
	return errors.Join(removeCgroups(cgroup(dir)), os.RemoveAll(dir))
}
