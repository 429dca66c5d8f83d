// Package node starts a real Kubernetes node for tests: the kubelet, containerd and
// runc, with containers that read their secrets and report what they see. Its tests
// are what the rest of the project assumes of a node. "make node" builds what it
// needs and runs them.
//
//	supervisor   runs the node, and removes all of it
//	cni          the network of Pods, which leads nowhere
//	csidriver    stands in for the Secrets Store CSI driver
//	guest        all programs of containers, but for those that are real
//	reader       what a container reports, and Flyte's client
//	image        writes images
//
// # What is real
//
// The kubelet (Kubernetes 1.35, built from its module), containerd and runc
// (Debian's packages), the API server (internal/kapi), and the kernel. So are the
// Fetch program of examples/fetch, the scripts of the stock containers and their
// shell (busybox), and the template renderer and engines of Vault. Flyte's client is
// written anew from what was recorded of it.
//
// # What is not
//
// There is no registry: images are imported and have a program each. Pods have a
// loopback interface and no network; those that must reach a store have the host's.
// gcloud, az, AWS' sidecar image, the CSI driver, the stores and the Vault Agent
// Injector are stand-ins. There is no scheduler: Pods name the node.
//
// # What it needs
//
// Linux, root, overlayfs and control groups, 2 GB of memory, and Debian or Ubuntu; or
// else containerd, its shim for runc, ctr, runc and busybox in the folders of
// $NODE_PATH. Version 1 of control groups, which it was written on, and version 2,
// which was not tried.
//
// # What it leaves
//
// Nothing. All of the node lives in namespaces of its own, in memory. It ends when
// the test ends, also if that is killed; see package supervisor.
package node
