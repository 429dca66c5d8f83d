//go:build linux

// Command supervisor is a Kubernetes node for tests: containerd, runc and a
// kubelet in namespaces of their own, so that nothing of them is left when it
// ends, however it ends.
//
//	supervisor -kubeconfig FILE [-keep DIR] BIN 3<IMAGES 4<CSI
//
// It must be root. BIN is the folder with the programs of the node, IMAGES what
// "docker save" would write, and CSI what the stand-in CSI driver serves. It prints the
// name of the folder in which the node keeps its files, and "ready" when the API
// server knows the node, which is called "node". It stops when its standard input
// closes, and so never outlives the test that started it.
//
//	supervisor -probe BIN
//
// runs one container, and says on standard error why this machine cannot run a node,
// if it cannot.
//
// It is three processes. The first one watches. The second one is the first
// process of the new namespaces, so that with it all others end and all mounts
// vanish. The third one, in a session of its own, waits for the end of the first
// one, also if that is killed, and then removes control groups and files.
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
	// What the processes are to each other.
	inside, clean string
	probe         bool
}

func main() {
	var o options
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "the file with which the kubelet finds the API server")
	flag.StringVar(&o.keep, "keep", "", "a folder that gets the logs in the end")
	flag.StringVar(&o.verbosity, "v", "2", "how much the kubelet logs")
	flag.StringVar(&o.inside, "inside", "", "internal: be the first process of the namespaces")
	flag.StringVar(&o.clean, "clean", "", "internal: remove what is left")
	flag.BoolVar(&o.probe, "probe", false, "only say whether a node can run here")
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
		return errors.New("-inside is for the first process of namespaces")
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
