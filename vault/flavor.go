package vault

import (
	"fmt"
	"strings"

	"github.com/podsecrets/podsecrets/mount"
)

// Flavor selects the injector that runs in the cluster.
type Flavor uint8

const (
	// Vault is HashiCorp's injector. Its annotations begin with
	// "vault.hashicorp.com/".
	Vault Flavor = iota
	// OpenBao is OpenBao's injector. Its annotations begin with "openbao.org/". It
	// also accepts Vault's annotations and renames them, so a Pod must not have the
	// Vault annotations that decide how the agent runs.
	OpenBao
)

// String returns "Vault", "OpenBao", or "Flavor(7)" for an undefined value.
func (f Flavor) String() string {
	if int(f) < len(dialects) {
		return dialects[f].product
	}
	return fmt.Sprintf("Flavor(%d)", uint8(f))
}

// dialect is everything that differs between flavors.
type dialect struct {
	product string
	manager string // the manager's name
	prefix  string // of annotation names
	// renames is the dialect whose annotations this injector renames to its own,
	// or nil.
	renames *dialect

	// Names of annotations.
	inject, initFirst, prePopulateOnly, role, volumePath, containers string
	prePopulate, configMap, status                                   string

	// Prefixes of annotation names, each followed by a secret's id.
	secretPath, secretFile, template, perms, secretVolume, leftDelimiter, rightDelimiter string

	// webhook is the part of a mount.Webhook that is the same for all Pods.
	webhook mount.Webhook
}

var (
	vaultDialect   = newDialect("Vault", "vault", "vault.hashicorp.com/", nil)
	openBaoDialect = newDialect("OpenBao", "openbao", "openbao.org/", vaultDialect)

	dialects = [...]*dialect{Vault: vaultDialect, OpenBao: openBaoDialect}
)

func newDialect(product, manager, prefix string, renames *dialect) *dialect {
	d := &dialect{
		product: product,
		manager: manager,
		prefix:  prefix,
		renames: renames,

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

// agentAnnotations returns the annotations that decide how the agent runs.
func (d *dialect) agentAnnotations() []string {
	return []string{d.inject, d.initFirst, d.prePopulateOnly, d.role, d.volumePath, d.containers, d.prePopulate, d.configMap, d.status}
}

// renamed returns the annotation that the injector would rename to name, or "".
func (d *dialect) renamed(name string) string {
	rest, ok := strings.CutPrefix(name, d.prefix)
	if d.renames == nil || !ok {
		return ""
	}
	return d.renames.prefix + rest
}
