// Command kapi is a Kubernetes API server with its etcd inside, for tests.
//
//	kapi DIR [flags of kube-apiserver]
//
// It is kube-apiserver itself, built from its module. It keeps all its files in
// the folder DIR, which must exist and have a short path (see startEtcd),
// listens on loopback at a port that the kernel chooses, and writes
// DIR/kubeconfig, of a member of system:masters, when it is ready. It stops when
// its standard input closes, and so never outlives the test that started it. Then
// it removes DIR, also if that test was killed.
//
// There are no controllers, no scheduler and no kubelet: Pods stay Pending,
// nothing makes the ServiceAccount "default" that Pods need, a Deployment has no
// Pods, and a deleted namespace never goes away.
//
// Kubernetes takes minutes to compile, and with other flags it compiles again.
// So "make kapi" is the one way to build it, and it is neither vetted nor built
// with the race detector. Package internal/e2e/apiserver starts it.
//
// The module also has the kubelet, of which nothing is changed, as a tool: "make
// kubelet" builds it with the same flags, as both have most packages in common.
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
	_ = syscall.Setpgid(0, 0) // whoever interrupts or kills the test's group lets it end by itself
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
