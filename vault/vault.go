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

// Config is what a Manager is made of. The zero value is valid.
type Config struct {
	// Flavor is Vault or OpenBao. Names of annotations below are Vault's.
	Flavor Flavor
	// Role is the role in Vault as which agents log in, where neither the Pod
	// nor Annotations name one. Empty means "flyte".
	Role string
	// KVVersion is the version of the key-value engine, "1" or "2", that serves
	// requests without a version. Empty means "2".
	KVVersion string
	// Mounts are the paths of the key-value engines of version 2, such as "secret"
	// or "team/kv". If there are any, requests for kv2 are served below them only,
	// and those for other engines elsewhere only. With none, Fragment.Reads takes
	// the first segment of a path for the mount; list the mounts where rules decide
	// who may ask for what, and some have more than one segment or no version 2.
	Mounts []string
	// EnvFiles allows variables, from env files that the agent writes and the
	// kubelet reads. All nodes must have Kubernetes 1.35 or later: an older kubelet
	// sets the variable to "" without a word. The injector must be vault-k8s 1.7.2
	// or later, as older ones drop the reference from init containers.
	EnvFiles bool
	// Annotations are added to each Pod that gets secrets, under their full
	// names, such as "vault.hashicorp.com/tls-secret". They take the place of
	// defaults; the Pod's own take theirs. Those that New refuses are the ones
	// that the package writes for each secret, agent-inject-containers and
	// agent-inject-status, and values that would keep secrets from arriving.
	Annotations map[string]string
	// Locked are the full names of annotations that a Pod may not change: it
	// has the value that it would get, or, where it would get none, no such
	// annotation. Anything else is a *mount.ConflictError. With OpenBao, the Pod may
	// not have Vault's annotation of that name either. That concerns Pods
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
	*dialect
	flavor   Flavor
	engine   string   // of requests without a version
	mounts   []string // the longest first
	envFiles bool
	common   map[string]string // annotations that do not depend on the Pod
	usual    map[string]string // all that do not depend on the secret, as most Pods get them
	locked   []string
}

// New returns a Manager, or an error that names the field of cfg that cannot be
// used.
func New(cfg Config) (*Manager, error) {
	if int(cfg.Flavor) >= len(dialects) {
		return nil, fmt.Errorf("vault: Flavor %v is not defined", cfg.Flavor)
	}
	d := dialects[cfg.Flavor]
	m := &Manager{
		dialect:  d,
		flavor:   cfg.Flavor,
		engine:   "kv" + cmp.Or(cfg.KVVersion, "2"),
		envFiles: cfg.EnvFiles,
		common: map[string]string{
			d.inject:          "true",
			d.role:            cmp.Or(cfg.Role, "flyte"),
			d.prePopulateOnly: "true",
		},
		locked: slices.Compact(slices.Sorted(slices.Values(cfg.Locked))),
	}
	if m.engine != kv1 && m.engine != kv2 {
		return nil, fmt.Errorf(`vault: KVVersion %q is neither "1" nor "2"`, cfg.KVVersion)
	}
	for _, p := range cfg.Mounts {
		if p == "" || path.Clean("/"+p) != "/"+p {
			return nil, fmt.Errorf("vault: Mounts: %q is not a clean path without outer slashes", p)
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
	m.usual = m.defaultsIn(usualDir, mount.InitFirst)
	for _, name := range m.locked {
		if reason := m.nameFlaw(name); reason != "" {
			return nil, fmt.Errorf("vault: Locked: %q %s", name, reason)
		}
	}
	return m, nil
}

// Name returns "vault" or "openbao".
func (m *Manager) Name() string { return m.manager }

// Mount answers with a file that the injector's agent brings, or with a variable
// from such a file. A request without a group or with a version that is no engine
// is secret.ErrUnsupported, so is one for a variable without Config.EnvFiles or in
// a template, and so is any in a Pod for Windows, as the agent is for Linux; a Pod
// in which the secret would never arrive is a *mount.ConflictError. The context is
// not used.
func (m *Manager) Mount(_ context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	r, err := m.read(req)
	if err != nil {
		return mount.Fragment{}, err
	}
	// API servers refuse a template whose volume is not there yet.
	envFiles := m.envFiles && !target.Template()
	form := fetch.Form(req, target.Layout(), "", envFiles)
	switch {
	case form == mount.EnvVar && m.envFiles && !envFiles:
		return mount.Fragment{}, fmt.Errorf("%w: variables from another webhook work in Pods only, not in templates", secret.ErrUnsupported)
	case form == mount.EnvVar && !envFiles:
		return mount.Fragment{}, fmt.Errorf("%w: secrets of %v are files", secret.ErrUnsupported, m.flavor)
	case target.OS() == string(corev1.Windows):
		return mount.Fragment{}, fmt.Errorf("%w: %v's agent cannot run in a Pod for Windows", secret.ErrUnsupported, m.flavor)
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

// inPod returns what the injector does with the Pod whatever the secret, and the
// layout with the directory that the annotations choose.
func (m *Manager) inPod(target mount.Target) (*mount.Webhook, mount.Layout, error) {
	layout, common, must := target.Layout(), m.defaults(target), map[string]string{}
	for _, name := range m.locked {
		if value, ok := common[name]; ok {
			must[name] = value
		} else if _, ok := target.Annotation(name); ok {
			return nil, layout, conflict(name, "is locked, and pods must not have it")
		}
		if vaults := dialects[Vault]; m.dialect != vaults && strings.HasPrefix(name, m.prefix) {
			if twin := vaults.prefix + name[len(m.prefix):]; has(target, twin) {
				return nil, layout, conflict(twin, "is locked, and pods must not have it")
			}
		}
	}
	layout.Dir = common[m.volumePath]
	if own, ok := target.Annotation(m.volumePath); ok {
		// Before it becomes a part of every path.
		if reason := m.flaw(m.volumePath, own); reason != "" {
			return nil, layout, conflict(m.volumePath, reason)
		}
		layout.Dir = own
	}
	if err := m.check(target); err != nil {
		return nil, layout, err
	}
	w := m.webhook                                     // a copy
	w.Annotations, w.DefaultAnnotations = must, common // what is in both counts in Annotations
	w.Dir, w.First = layout.Dir, m.isFirst(target, common)
	return &w, layout, nil
}

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

// addEnvFile adds a variable. Only the kubelet needs to read its file, as root.
func (m *Manager) addEnvFile(f *mount.Fragment, r read, req secret.Request, target mount.Target, layout mount.Layout) error {
	nameLen := fetch.NameLen(req, layout)
	file := ".env/" + mount.Name("env", r.engine, r.path, r.key, strconv.Itoa(nameLen))
	f.Value = mount.FromSource(&corev1.EnvVarSource{FileKeyRef: &corev1.FileKeySelector{
		VolumeName: f.Webhook.Volume, Path: file, Key: fetch.EnvKey,
	}})
	return m.add(f.Webhook.Annotations, r, target, layout, file, r.appendEnv(nil, nameLen), 0o400)
}

// add adds the annotations that make the agent write a file, whose path is below
// the directory of secrets.
func (m *Manager) add(to map[string]string, r read, target mount.Target, layout mount.Layout, file string, body []byte, mode int32) error {
	id := r.id(file)
	n := m.of(id)
	to[n.path] = r.path
	to[n.file] = file
	to[n.template] = withID(body, id)
	if mode != 0 {
		to[n.perms] = fmt.Sprintf("%#o", mode)
	}
	return n.checkSecret(target, layout.Dir)
}

// isFirst reports whether the agent's init container will be the first of the
// Pod.
func (m *Manager) isFirst(target mount.Target, common map[string]string) bool {
	value, ok := target.Annotation(m.initFirst)
	if !ok {
		value = common[m.initFirst]
	}
	first, err := strconv.ParseBool(value[:min(len(value), 8)])
	return err == nil && first
}

// defaults returns the annotations that do not depend on the secret, locked ones
// too, to be read only.
func (m *Manager) defaults(target mount.Target) map[string]string {
	dir, order := target.Layout().Dir, target.InitOrder()
	if order == mount.InitFirst && dir == usualDir {
		return m.usual
	}
	return m.defaultsIn(dir, order)
}

var usualDir = mount.Layout{}.WithDefaults().Dir

func (m *Manager) defaultsIn(dir string, order mount.InitOrder) map[string]string {
	all := map[string]string{m.volumePath: dir}
	if order == mount.InitFirst {
		all[m.initFirst] = "true"
	}
	maps.Copy(all, m.common)
	return all
}
