// Package e2e proves that the library does its job where it will run: in a real
// Kubernetes API server, called as an admission webhook.
//
// Real are the API server with its admission, validation, defaults and Pod
// Security (internal/kapi, started by package apiserver), the webhook, which is
// the binary of examples/webhook and runs as processes of its own with the
// rights and the configuration that its manifests give it (package deployed),
// and Vault's engines and the agent's renderer (internal/vaulttest).
//
// Not there are nodes and controllers. So the tests do what those would: they
// make a Deployment's Pods, and what a container would find, its variables and
// files, they work out from the stored Pod as the kubelet does (node). What reads
// them follows what was recorded of Flyte's client (reader, testdata). Vault's
// injector and the image that fetches from AWS are models.
//
// "make e2e" in the root of the repository builds the binaries and runs the
// tests; without the binaries they fail. "make bench-cluster" measures.
package e2e
