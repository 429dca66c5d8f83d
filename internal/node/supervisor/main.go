//go:build linux

// Command supervisor is a Kubernetes node for tests: containerd, runc and a kubelet in
// their own namespaces. However it ends, nothing of them is left.
//
//	supervisor -kubeconfig FILE [-keep DIR] BIN 3<IMAGES 4<CSI
//
// It must run as root. BIN is the directory with the node's programs, IMAGES an archive
// as written by "docker save", and CSI the input of csidriver. It prints the
// directory with the node's files, and then "ready" when the node, named "node", is
// registered with the API server. It stops when its standard input closes, and so
// never outlives the test that started it.
//
//	supervisor -probe BIN
//
// runs one container. If this machine cannot run a node, it prints the reason to
// standard error.
//
// The supervisor has three processes. The first one watches the others. The second
// one is the first process of the new namespaces: when it ends, all their processes
// and mounts end. The third one, in its own session, waits for the end of the first
// one, even if that is killed, and then removes control groups and files.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

// options are the command line.
type options struct {
	kubeconfig string
	keep       string
	verbosity  string
	bin        string
	// inside and clean select the second and the third process.
	inside, clean string
	probe         bool
}

func main() {
	var o options
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "the kubelet's kubeconfig file")
	flag.StringVar(&o.keep, "keep", "", "a directory to which the logs are copied at the end")
	flag.StringVar(&o.verbosity, "v", "2", "the kubelet's log verbosity")
	flag.StringVar(&o.inside, "inside", "", "internal: run as the first process of the namespaces")
	flag.StringVar(&o.clean, "clean", "", "internal: remove everything at the end")
	flag.BoolVar(&o.probe, "probe", false, "only check whether a node can run here")
	flag.Parse()
	o.bin = flag.Arg(0)
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	switch {
	case o.clean != "":
		return clean(o.clean)
	case o.inside != "" && os.Getpid() != 1:
		return errors.New("-inside is for the first process of the namespaces only")
	case o.inside != "" && o.probe:
		return probeInside(o)
	case o.inside != "":
		return inside(o)
	case flag.NArg() != 1:
		return errors.New("usage: supervisor [flags] BIN")
	case o.probe:
		return probe(o)
	}
	return outside(o)
}
