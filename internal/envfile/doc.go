// Package envfile reads env files with the kubelet's own parser: those by which
// internal/kubelet's model is compared with it, and those that Vault's templates
// make. It is a module of its own because Kubernetes is one of its dependencies.
package envfile
