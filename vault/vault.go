package vault

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/fetch"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Config configures a Manager. The zero value is valid.
type Config struct {
	// Flavor is Vault or OpenBao. The comments below use Vault's annotation names.
	Flavor Flavor
	// Role is the Vault role with which agents log in, unless the Pod or Annotations
	// set one. Empty means "flyte".
	Role string
	// KVVersion is the version of the key-value engine, "1" or "2", for requests
	// without a version. Empty means "2".
	KVVersion string
	// Mounts are the paths of the key-value engines of version 2, such as "secret"
	// or "team/kv". If Mounts is set, requests for kv2 are served only below these
	// paths, and requests for other engines only elsewhere. If it is empty,
	// Fragment.Reads assumes that the first segment of a path is the mount. Set
	// Mounts if rules decide who may read what, and some mounts have more than one
	// segment or are not version 2.
	Mounts []string
	// EnvFiles allows variables: the agent writes env files, and the kubelet reads
	// them. All nodes must run Kubernetes 1.35 or later: an older kubelet silently
	// sets the variable to "". The injector must be vault-k8s 1.7.2 or later: older
	// ones drop the reference to the env file from init containers.
	EnvFiles bool
	// Annotations are added to each Pod that gets secrets, with full names, such as
	// "vault.hashicorp.com/tls-secret". They replace the defaults, and the Pod's
	// own annotations replace them. New refuses the annotations that the package
	// writes for each secret, agent-inject-containers, agent-inject-status, and
	// values with which no secrets would arrive.
	Annotations map[string]string
	// Locked are full names of annotations that a Pod may not change. The Pod may
	// have such an annotation only with the value that it would get anyway; any
	// other value is a *mount.ConflictError. With OpenBao, so is Vault's annotation
	// of that name.
	//
	// Locked applies only to Pods that ask this library for secrets. Some
	// annotations of the Vault Agent Injector have the same effect as others, so
	// lock all of them: to lock the role, also lock auth-type, auth-path,
	// auth-config-role, service, namespace, proxy-address, ca-cert,
	// tls-skip-verify, agent-image, agent-json-patch and agent-init-json-patch. In
	// any case, limit what a Pod can read in Vault itself, with roles and policies
	// by service account and namespace.
	Locked []string
}

// Manager is the injector.SecretManager of Vault or OpenBao. It is immutable and safe
// for concurrent use.
type Manager struct {
	*dialect
	defaultEngine string   // for requests without a version
	mounts        []string // longest first
	envFiles      bool
	common        map[string]string // shared annotations, without those that depend on the Target
	usual         map[string]string // common in the default directory, with InitFirst: right for most Pods
	locked        []string
}

// New returns a Manager, or an error that names the invalid field of cfg.
func New(cfg Config) (*Manager, error) {
	if int(cfg.Flavor) >= len(dialects) {
		return nil, fmt.Errorf("vault: Flavor %v is not defined", cfg.Flavor)
	}
	d := dialects[cfg.Flavor]
	m := &Manager{
		dialect:       d,
		defaultEngine: "kv" + cmp.Or(cfg.KVVersion, "2"),
		envFiles:      cfg.EnvFiles,
		common: map[string]string{
			d.inject:          "true",
			d.role:            cmp.Or(cfg.Role, "flyte"),
			d.prePopulateOnly: "true",
		},
		locked: slices.Compact(slices.Sorted(slices.Values(cfg.Locked))),
	}
	if m.defaultEngine != kv1 && m.defaultEngine != kv2 {
		return nil, fmt.Errorf(`vault: KVVersion %q is neither "1" nor "2"`, cfg.KVVersion)
	}
	for _, p := range cfg.Mounts {
		if p == "" || path.Clean("/"+p) != "/"+p {
			return nil, fmt.Errorf("vault: Mounts: %q is not a clean path without leading and trailing slashes", p)
		}
		m.mounts = append(m.mounts, p)
	}
	slices.SortFunc(m.mounts, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, name := range sortedKeys(cfg.Annotations) {
		if reason := cmp.Or(m.nameFlaw(name), m.flaw(name, cfg.Annotations[name])); reason != "" {
			return nil, fmt.Errorf("vault: Annotations: %q %s", name, reason)
		}
	}
	maps.Copy(m.common, cfg.Annotations)
	m.usual = m.makeDefaults(defaultDir, mount.InitFirst)
	for _, name := range m.locked {
		if reason := m.nameFlaw(name); reason != "" {
			return nil, fmt.Errorf("vault: Locked: %q %s", name, reason)
		}
	}
	return m, nil
}

// Name returns "vault" or "openbao".
func (m *Manager) Name() string { return m.manager }

// Mount returns a fragment with a file that the agent writes, or with a variable from
// an env file. It returns secret.ErrUnsupported for a request without a group, with an
// unknown engine or with a path that Config.Mounts excludes; for a variable without
// Config.EnvFiles or in a Pod template; and for a Pod for Windows. It returns a
// *mount.ConflictError for a Pod in which the secret would never arrive. The context is
// not used.
func (m *Manager) Mount(_ context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	r, err := m.read(req)
	if err != nil {
		return mount.Fragment{}, err
	}
	// API servers refuse a template that refers to a missing volume.
	envFiles := m.envFiles && !target.Template()
	form := fetch.Form(req, target.Layout(), "", envFiles)
	switch {
	case form == mount.EnvVar && m.envFiles && !envFiles:
		return fetch.Unsupported("variables from another webhook work in Pods only, not in templates")
	case form == mount.EnvVar && !envFiles:
		return fetch.Unsupported(m.product + " secrets are served as files only, unless EnvFiles is set")
	case target.OS() == string(corev1.Windows):
		return fetch.Unsupported(m.product + "'s agent cannot run in a Pod for Windows")
	}
	w, layout, err := m.inPod(target)
	if err != nil {
		return mount.Fragment{}, err
	}
	f := mount.Fragment{Honors: mount.Features{Mode: true}, Reads: m.object(r), Webhook: w}
	if form == mount.EnvVar {
		err = m.addEnvFile(&f, r, req, target, layout)
	} else {
		err = m.addFile(&f, r, req, target, layout)
	}
	if err != nil {
		return mount.Fragment{}, err
	}
	return f, nil
}

// inPod returns the part of the fragment's Webhook that does not depend on the secret,
// and the layout with the directory from the annotations.
func (m *Manager) inPod(target mount.Target) (*mount.Webhook, mount.Layout, error) {
	layout, common, required := target.Layout(), m.defaults(target), map[string]string{}
	for _, name := range m.locked {
		if value, ok := common[name]; ok {
			required[name] = value
		} else if has(target, name) {
			return nil, layout, conflict(name, lockedReason)
		}
		if old := m.renamed(name); old != "" && has(target, old) {
			return nil, layout, conflict(old, lockedReason)
		}
	}
	layout.Dir = common[m.volumePath]
	if own, ok := target.Annotation(m.volumePath); ok {
		// Checked before it becomes part of every path.
		if reason := m.flaw(m.volumePath, own); reason != "" {
			return nil, layout, conflict(m.volumePath, reason)
		}
		layout.Dir = own
	}
	if err := m.check(target); err != nil {
		return nil, layout, err
	}
	w := m.webhook // a copy
	w.Annotations, w.DefaultAnnotations = required, common
	w.Dir, w.First = layout.Dir, m.isFirst(target, common)
	return &w, layout, nil
}

const lockedReason = "is locked: the pod must not set it"

func has(target mount.Target, name string) bool {
	_, ok := target.Annotation(name)
	return ok
}

func (m *Manager) addFile(f *mount.Fragment, r read, req secret.Request, target mount.Target, layout mount.Layout) error {
	f.File = true
	body, mode := r.appendFile(make([]byte, 0, 1<<10)), req.Mode
	if err := m.add(f.Webhook.Annotations, r, target, layout, req.RelPath(layout, ""), body, mode); err != nil {
		return err
	}
	if req.GroupVersion == "" || req.Path != "" || layout.Exact {
		return nil
	}
	f.Webhook.AliasAnnotations = make(map[string]string, 4)
	return m.add(f.Webhook.AliasAnnotations, r, target, layout, layout.RelPath(req.Group, req.GroupVersion, req.Key), body, mode)
}

// addEnvFile adds a variable. Its file has mode 0400, because only the kubelet reads it,
// as root.
func (m *Manager) addEnvFile(f *mount.Fragment, r read, req secret.Request, target mount.Target, layout mount.Layout) error {
	nameLen := fetch.NameLen(req, layout)
	file := ".env/" + mount.Name("env", r.engine, r.path, r.key, strconv.Itoa(nameLen))
	f.Value = mount.FromSource(&corev1.EnvVarSource{FileKeyRef: &corev1.FileKeySelector{
		VolumeName: f.Webhook.Volume, Path: file, Key: fetch.EnvKey,
	}})
	return m.add(f.Webhook.Annotations, r, target, layout, file, r.appendEnv(nil, nameLen), 0o400)
}

// add adds the annotations that make the agent write a file. The file's path is relative
// to the layout's Dir.
func (m *Manager) add(to map[string]string, r read, target mount.Target, layout mount.Layout, file string, body []byte, mode int32) error {
	id := r.id(file)
	n := m.namesFor(id)
	to[n.path] = r.path
	to[n.file] = file
	to[n.template] = withID(body, id)
	if mode != 0 {
		to[n.perms] = fmt.Sprintf("%#o", mode)
	}
	return n.check(target, layout.Dir)
}

// isFirst reports whether the agent's init container will be the Pod's first.
func (m *Manager) isFirst(target mount.Target, common map[string]string) bool {
	value, ok := target.Annotation(m.initFirst)
	if !ok {
		value = common[m.initFirst]
	}
	first, err := strconv.ParseBool(value[:min(len(value), 8)])
	return err == nil && first
}

// defaults returns the shared annotations for the target, locked ones too. Callers must
// not modify the map.
func (m *Manager) defaults(target mount.Target) map[string]string {
	dir, order := target.Layout().Dir, target.InitOrder()
	if order == mount.InitFirst && dir == defaultDir {
		return m.usual
	}
	return m.makeDefaults(dir, order)
}

var defaultDir = mount.Layout{}.WithDefaults().Dir

func (m *Manager) makeDefaults(dir string, order mount.InitOrder) map[string]string {
	all := map[string]string{m.volumePath: dir}
	if order == mount.InitFirst {
		all[m.initFirst] = "true"
	}
	maps.Copy(all, m.common)
	return all
}
