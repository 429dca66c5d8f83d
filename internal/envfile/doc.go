// Package envfile reads env files with the kubelet's own parser. It compares
// internal/kubelet's model with that parser, and checks the files that Vault's templates
// write. It is a separate module because it depends on Kubernetes.
package envfile
