// Command kapi is a Kubernetes API server with its etcd inside, for tests.
//
//	kapi DIR [flags of kube-apiserver]
//
// It is kube-apiserver itself, built from its module. All its files are in the
// directory DIR, which must exist and have a short path (see etcdURL). It listens
// on loopback at a port that the kernel chooses. When it is ready, it writes
// DIR/kubeconfig for a member of system:masters. It stops and removes DIR when its
// standard input closes, and so never outlives the test that started it, even if
// that is killed.
//
// There are no controllers, no scheduler and no kubelet: Pods stay Pending,
// nothing creates the ServiceAccount "default" that Pods need, a Deployment has no
// Pods, and a deleted namespace stays.
//
// Kubernetes takes minutes to compile, and again with other flags. So it is built by
// "make kapi" only, and neither vetted nor built with the race detector. Package
// internal/e2e/apiserver starts it.
//
// The module also has the unchanged kubelet as a tool: "make kubelet" builds it with
// the same flags, because both share most packages.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"syscall"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: kapi DIR [flags of kube-apiserver]")
		os.Exit(2)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	_ = syscall.Setpgid(0, 0) // signals to the test's process group must not prevent the cleanup
	dir := os.Args[1]
	err := run(ctx, dir, os.Args[2:])
	if ctx.Err() != nil {
		err = os.RemoveAll(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kapi:", err)
		os.Exit(1)
	}
}

// run serves until the context ends.
func run(ctx context.Context, dir string, flags []string) error {
	etcd, err := startEtcd(dir)
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	defer etcd.Close()
	return serve(ctx, dir, flags)
}
