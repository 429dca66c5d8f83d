// Package vaulttest proves what package vault writes: annotations become the
// configuration of a Vault Agent, its template renderer reads Vault's engines,
// and a file with the secret's bytes is where the Placement says. What its tests
// are made of, Inject, Server and Render, serves those of a real cluster too. It
// is a module of its own because the library does not depend on Vault.
//
// Real are the renderer, which is the agent's own (consul-template), how it logs
// in, and the key-value engines. The Vault Agent Injector (vault-k8s) is no Go
// module that could be had; in its place stands a model, which has to agree with
// everything that version 1.7.6 was recorded to do (testdata). The HTTP server
// in front of the engines, and the database engine, are made for the tests.
//
// Of agent-inject-perms nothing was recorded; the model follows the source.
//
// Nothing was recorded of annotations that decide whether, where and in which
// containers the agent runs: agent-inject-containers, agent-inject-status,
// agent-init-first, agent-pre-populate, agent-configmap, nor of a secret's own
// volume path and delimiters. What package vault says of these is not proven
// here.
//
// It needs loopback and nothing else of a network.
package vaulttest
