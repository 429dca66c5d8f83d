// Package vaulttest tests package vault from annotations to files: the annotations
// become the configuration of a Vault Agent, its template renderer reads Vault's
// engines, and a file with the secret's bytes appears at the Placement's path.
// Tests with a real cluster use Inject, Server and Render too. It is a separate
// module because the library does not depend on Vault.
//
// The renderer (consul-template), its login, and the key-value engines are Vault's
// own. The Vault Agent Injector (vault-k8s) is not available as a Go module, so a
// model replaces it, which must agree with recordings of version 1.7.6 (testdata).
// The HTTP server and the database engine are written for the tests.
//
// There are no recordings of agent-inject-perms; the model follows the source.
// There are none either of a secret's own volume path and delimiters, nor of the
// annotations that decide whether, where and in which containers the agent runs:
// agent-inject-containers, agent-inject-status, agent-init-first,
// agent-pre-populate, agent-configmap. These are not tested here.
//
// The tests need loopback, but no other network.
package vaulttest
