package vault

import (
	"fmt"

	"github.com/podsecrets/podsecrets/mount"
)

// Flavor says whose injector is in the cluster.
type Flavor uint8

const (
	// Vault is HashiCorp's, with annotations that begin with "vault.hashicorp.com/".
	Vault Flavor = iota
	// OpenBao is that of OpenBao, with annotations that begin with "openbao.org/".
	// OpenBao's injector accepts Vault's annotations too and renames them. So a Pod
	// must not have those of Vault's that decide how the agent runs.
	OpenBao
)

// String returns "Vault" or "OpenBao".
func (f Flavor) String() string {
	switch f {
	case Vault:
		return "Vault"
	case OpenBao:
		return "OpenBao"
	}
	return fmt.Sprintf("Flavor(%d)", uint8(f))
}

// dialect is what a flavor calls the annotations that this package writes or looks
// at, and the manager.
type dialect struct {
	manager string
	prefix  string

	inject, initFirst, prePopulateOnly, role, volumePath, containers string
	prePopulate, configMap, status                                   string

	// These end in the id of a secret.
	secretPath, secretFile, template, perms, secretVolume, leftDelimiter, rightDelimiter string

	// webhook is what the injector does with every Pod.
	webhook mount.Webhook
}

var dialects = [...]*dialect{Vault: newDialect("vault", "vault.hashicorp.com/"), OpenBao: newDialect("openbao", "openbao.org/")}

func newDialect(manager, prefix string) *dialect {
	d := &dialect{
		manager: manager,
		prefix:  prefix,

		inject:          prefix + "agent-inject",
		initFirst:       prefix + "agent-init-first",
		prePopulateOnly: prefix + "agent-pre-populate-only",
		role:            prefix + "role",
		volumePath:      prefix + "secret-volume-path",
		containers:      prefix + "agent-inject-containers",
		prePopulate:     prefix + "agent-pre-populate",
		configMap:       prefix + "agent-configmap",
		status:          prefix + "agent-inject-status",

		secretPath:     prefix + "agent-inject-secret-",
		secretFile:     prefix + "agent-inject-file-",
		template:       prefix + "agent-inject-template-",
		perms:          prefix + "agent-inject-perms-",
		secretVolume:   prefix + "secret-volume-path-",
		leftDelimiter:  prefix + "agent-template-left-delim-",
		rightDelimiter: prefix + "agent-template-right-delim-",
	}
	d.webhook = mount.Webhook{
		ContainersAnnotation: d.containers,
		RanAnnotation:        d.status,
		RanValue:             "injected",
		Volume:               manager + "-secrets",
		Containers:           []string{manager + "-agent-init", manager + "-agent"},
		Writes:               mount.FileAnnotations{Secret: d.secretPath, File: d.secretFile, Dir: d.secretVolume},
	}
	return d
}

// ofPod are the annotations that decide how the agent runs, of which a Pod must
// not have Vault's where OpenBao's injector would take them.
func (d *dialect) ofPod() []string {
	return []string{d.inject, d.initFirst, d.prePopulateOnly, d.role, d.volumePath, d.containers, d.prePopulate, d.configMap, d.status}
}
