// Package envfile compares internal/kubelet's model of env files with the
// kubelet's own parser. It is a module of its own because Kubernetes is one of
// its dependencies.
package envfile
