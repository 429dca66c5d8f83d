// Package node starts a real Kubernetes node for tests: the kubelet, containerd and
// runc. Containers read their secrets and report what they see. The tests check what
// the rest of the project assumes of a node. "make node" builds the programs and runs
// the tests.
//
//	supervisor   runs the node, and removes all of it
//	cni          the Pods' network, which has no connections
//	csidriver    a model of the Secrets Store CSI driver
//	guest        the containers' programs, but for the real ones
//	reader       a container's report, and Flyte's client
//	image        writes images
//
// # Real parts
//
// The kubelet (Kubernetes 1.35, built from its module), containerd and runc
// (Debian's packages), the API server (internal/kapi), and the kernel. Also the
// Fetch program of examples/fetch, the scripts of the stock containers and their
// shell (busybox), and Vault's template renderer and engines. Flyte's client is
// rewritten from recordings.
//
// # Models
//
// There is no registry: images are imported, with one program each. Pods have a
// loopback interface and no network; those that need a store use the host's network.
// gcloud, az, AWS's sidecar image, the CSI driver, the stores and the Vault Agent
// Injector are models. There is no scheduler: Pods name the node.
//
// # Requirements
//
// Linux, root, overlayfs, control groups and 2 GB of memory. Debian or Ubuntu, or else
// containerd, its shim for runc, ctr, runc and busybox in the directories of
// $NODE_PATH. Control groups of version 1 are tested; version 2 is supported but
// untested.
//
// # Cleanup
//
// The node leaves nothing behind: it runs in its own namespaces, in memory. It ends
// when the test ends, even if that is killed; see package supervisor.
package node
