package vault

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Config is what a Manager is made of. The zero value is valid.
type Config struct {
	// Role is the role in Vault as which agents log in, where neither the Pod
	// nor Annotations name one. Empty means "flyte".
	Role string
	// KVVersion is the version of the key-value engine, "1" or "2", that serves
	// requests without a version. Empty means "2".
	KVVersion string
	// Annotations are added to each Pod that gets secrets, under their full
	// names, such as "vault.hashicorp.com/tls-secret". They take the place of
	// defaults; the Pod's own take theirs. Those that New refuses are the ones
	// that the package writes for each secret, agent-inject-containers and
	// agent-inject-status, and values that would keep secrets from arriving.
	Annotations map[string]string
	// Locked are the full names of annotations that a Pod may not change: it
	// has the value that it would get, or, where it would get none, no such
	// annotation. Anything else is a *mount.ConflictError. That concerns Pods
	// that ask this library for secrets. To others it does not apply, and the
	// Vault Agent Injector has other annotations that lead to the same end. To
	// lock the role, lock these too: auth-type, auth-path, auth-config-role,
	// service, namespace, proxy-address, ca-cert, tls-skip-verify, agent-image,
	// agent-json-patch and agent-init-json-patch. Limit what a Pod can read by
	// Vault's roles and policies, by service account and namespace.
	Locked []string
}

// Manager is the injector.SecretManager of Vault. It is immutable and safe for
// concurrent use.
type Manager struct {
	engine      string            // of requests without a version
	annotations map[string]string // common ones that do not depend on the Pod
	usual       map[string]string // all common ones, as most Pods get them
	locked      []string
}

// New returns a Manager, or an error that names the field of cfg that cannot be
// used.
func New(cfg Config) (*Manager, error) {
	m := &Manager{
		engine: "kv" + cmp.Or(cfg.KVVersion, "2"),
		annotations: map[string]string{
			inject:          "true",
			role:            cmp.Or(cfg.Role, "flyte"),
			prePopulateOnly: "true",
		},
		locked: slices.Compact(slices.Sorted(slices.Values(cfg.Locked))),
	}
	if m.engine != kv1 && m.engine != kv2 {
		return nil, fmt.Errorf(`vault: KVVersion %q is neither "1" nor "2"`, cfg.KVVersion)
	}
	for _, name := range sortedKeys(cfg.Annotations) {
		if reason := cmp.Or(nameFlaw(name), flaw(name, cfg.Annotations[name])); reason != "" {
			return nil, fmt.Errorf("vault: Annotations: %q %s", name, reason)
		}
	}
	maps.Copy(m.annotations, cfg.Annotations)
	m.usual = m.commonIn(usualDir, mount.InitFirst)
	for _, name := range m.locked {
		if reason := nameFlaw(name); reason != "" {
			return nil, fmt.Errorf("vault: Locked: %q %s", name, reason)
		}
	}
	return m, nil
}

// Name returns "vault".
func (m *Manager) Name() string { return "vault" }

// Mount answers with a file that the Vault Agent Injector brings. A request for
// a variable, without group or key, or with a version that is no engine is
// secret.ErrUnsupported, and so is any in a Pod for Windows, as the agent is for
// Linux; a Pod in which the file would never arrive is a *mount.ConflictError.
// The context is not used.
func (m *Manager) Mount(_ context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	r, err := m.read(req)
	if err != nil {
		return mount.Fragment{}, err
	}
	if target.OS() == string(corev1.Windows) {
		return mount.Fragment{}, fmt.Errorf("%w: Vault's agent cannot run in a Pod for Windows", secret.ErrUnsupported)
	}
	layout, common, must := target.Layout(), m.common(target), map[string]string{}
	for _, name := range m.locked {
		if value, ok := common[name]; ok {
			must[name] = value
		} else if _, ok := target.Annotation(name); ok {
			return mount.Fragment{}, conflict(name, "is locked, and pods must not have it")
		}
	}
	layout.Dir = common[volumePath]
	if own, ok := target.Annotation(volumePath); ok {
		// Before it becomes a part of every path.
		if reason := flaw(volumePath, own); reason != "" {
			return mount.Fragment{}, conflict(volumePath, reason)
		}
		layout.Dir = own
	}
	file := req.RelPath(layout, "")
	id, body := r.id(file), r.template()
	names := namesOf(id)
	alias, aliasNames := r.alias(req, layout, body)
	if err := check(target, layout.Dir, names, aliasNames); err != nil {
		return mount.Fragment{}, err
	}
	r.annotate(must, names, id, file, body)
	w := injected                                      // a copy
	w.Annotations, w.DefaultAnnotations = must, common // what is in both counts in Annotations
	w.AliasAnnotations = alias
	w.Dir, w.First = layout.Dir, isFirst(target, common)
	return mount.Fragment{File: true, Webhook: &w}, nil
}

// injected is what the Vault Agent Injector does with every Pod.
var injected = mount.Webhook{
	ContainersAnnotation: containers,
	RanAnnotation:        status,
	RanValue:             "injected",
	Volume:               "vault-secrets",
	Containers:           []string{"vault-agent-init", "vault-agent"},
	Writes:               mount.FileAnnotations{Secret: secretPath, File: secretFile, Dir: secretVolume},
}

// isFirst reports whether the agent's init container will be the first of the
// Pod.
func isFirst(target mount.Target, common map[string]string) bool {
	value, ok := target.Annotation(initFirst)
	if !ok {
		value = common[initFirst]
	}
	first, err := strconv.ParseBool(value[:min(len(value), 8)])
	return err == nil && first
}

// common returns the annotations that do not depend on the secret, locked ones
// too, to be read only.
func (m *Manager) common(target mount.Target) map[string]string {
	dir, order := target.Layout().Dir, target.InitOrder()
	if order == mount.InitFirst && dir == usualDir {
		return m.usual
	}
	return m.commonIn(dir, order)
}

var usualDir = mount.Layout{}.WithDefaults().Dir

func (m *Manager) commonIn(dir string, order mount.InitOrder) map[string]string {
	all := map[string]string{volumePath: dir}
	if order == mount.InitFirst {
		all[initFirst] = "true"
	}
	maps.Copy(all, m.annotations)
	return all
}
