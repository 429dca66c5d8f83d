// Package e2e tests the library as an admission webhook of a real Kubernetes API
// server.
//
// These parts are real: the API server with its admission, validation, defaults
// and Pod Security (internal/kapi, started by package apiserver); the webhook,
// which runs as separate processes with the permissions and the configuration of
// its manifests (package deployed); Vault's engines and the agent's renderer
// (internal/vaulttest).
//
// There are no nodes and no controllers. The tests create a Deployment's Pods
// themselves. They derive a container's variables and files from the stored Pod as
// the kubelet does (type node), and read them as recorded from Flyte's client
// (reader_test.go, testdata). Vault's injector and AWS's fetcher are models.
//
// "make e2e" in the root of the repository builds the binaries and runs the
// tests; without the binaries they fail. "make bench-cluster" runs the benchmark.
package e2e
