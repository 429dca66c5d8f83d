// Package k8ssecret serves secrets from Kubernetes Secrets in the Pod's namespace.
//
//	m, err := k8ssecret.New(k8ssecret.Config{})
//	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
//
// A request's group, lower-cased, is the name of the Secret; its key is the key in the
// Secret. Secrets have no versions: a request's version only adds an alias. A variable
// refers to its Secret with a secretKeyRef. The files of one directory come from one
// projected volume, which has only the requested keys.
//
// Most names of Secrets contain "-" or ".", and so do the variables derived from them.
// A container receives such a variable, but /bin/sh in Debian and Alpine drops it, so a
// program that a shell starts does not see it. Give such a request an exact name
// (secret.Request.EnvVar), or request a file.
//
// The package never reads a Secret: it writes references, which the kubelet resolves
// with the node's rights. It cannot know whether the Secret exists. By default
// references are optional, as Flyte's are: the Pod starts, and the client reports the
// secret as missing. See Config.Required.
//
// When a Secret changes, the kubelet updates its files within a minute or two.
// Variables keep their values until the container restarts. Some tools restart
// workloads when a Secret changes. They find the references in a template that
// injector.Injector.InjectTemplate returns: Stakater's Reloader, for example, reads
// variables and projected volumes if the workload has the annotation
// "reloader.stakater.com/auto". Such tools do not see what a webhook adds to Pods. For
// those Pods, list the Secrets in the annotation "secret.reloader.stakater.com/reload".
package k8ssecret

import (
	"context"
	"fmt"
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/names"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Config configures a Manager. The zero value is valid.
type Config struct {
	// Any is the form in which requests for mount.Any are served. The zero value,
	// mount.Any, means a variable. With Flyte's webhook it is a file, although
	// Flyte's documentation says a variable.
	Any mount.Type
	// Required makes containers wait until the Secret and the key exist. Otherwise
	// they start without the secret. If the container's envFrom has a variable of
	// the same name, the container then gets that value.
	Required bool
	// DefaultMode is the permission bits of files, at most 0777. Nil means 0644,
	// Kubernetes' default. A request's Mode overrides it for that file. Root owns the
	// files, so a container that runs as another user cannot read a file of mode 0400
	// unless the Pod has an fsGroup: the kubelet then lets that group read it.
	DefaultMode *int32
	// Names returns the Secret and key for a request. Nil means the group, lower-cased,
	// and the key. An error that wraps secret.ErrUnsupported passes the request to the
	// next manager; any other error ends the search. The function must be safe for
	// concurrent use. See FlyteScope for Flyte 2.
	Names func(req secret.Request, target mount.Target) (Ref, error)
}

// Ref names a key of a Secret.
type Ref struct{ Name, Key string }

// Manager is the injector.SecretManager of Kubernetes Secrets. It is immutable
// and safe for concurrent use.
type Manager struct {
	any      mount.Type
	optional bool
	mode     int32
	names    func(secret.Request, mount.Target) (Ref, error)
}

// New returns a Manager, or an error that names the invalid field of cfg.
func New(cfg Config) (*Manager, error) {
	m := &Manager{any: cfg.Any, optional: !cfg.Required, mode: corev1.SecretVolumeSourceDefaultMode, names: cfg.Names}
	if m.names == nil {
		m.names = byGroup
	}
	switch cfg.Any {
	case mount.Any:
		m.any = mount.EnvVar
	case mount.EnvVar, mount.File:
	default:
		return nil, fmt.Errorf("k8ssecret: Any %v is not defined", cfg.Any)
	}
	if cfg.DefaultMode != nil {
		m.mode = *cfg.DefaultMode
	}
	if m.mode < 0 || m.mode > 0o777 {
		return nil, fmt.Errorf("k8ssecret: DefaultMode %#o is not between 0 and 0777", m.mode)
	}
	return m, nil
}

// Name returns "k8s".
func (m *Manager) Name() string { return "k8s" }

// byGroup is the default of Config.Names.
func byGroup(req secret.Request, _ mount.Target) (Ref, error) {
	return Ref{strings.ToLower(req.Group), req.Key}, nil
}

// Mount returns a variable that refers to a key of a Secret, or a projected volume with
// the file. All files of one directory share a volume. Mount returns
// secret.ErrUnsupported if the name of the Secret, the key, the file's name or its
// directory is not valid in Kubernetes. If the variable's name is not valid, a request
// for mount.Any becomes a file, and a request for a variable is secret.ErrUnsupported.
// The context is not used.
func (m *Manager) Mount(_ context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	ref, err := m.names(req, target)
	if err != nil {
		return mount.Fragment{}, err
	}
	if !names.IsSubdomain(ref.Name) {
		return unsupported("group is not a valid name of a Secret")
	}
	if !names.IsKey(ref.Key) {
		return unsupported("key is not a valid key of a Secret")
	}
	as := req.Mount
	if as == mount.Any {
		as = m.any
	}
	if as == mount.EnvVar && !names.IsEnvVar(req.EnvName(target.Layout(), "")) {
		if req.Mount != mount.Any {
			return unsupported("group and key do not form a valid variable name")
		}
		as = mount.File
	}
	f := mount.Fragment{Reads: mount.Object{Name: ref.Name, Key: ref.Key}}
	if as == mount.EnvVar {
		f.Value = m.reference(ref)
		return f, nil
	}
	dir, file := path.Split(req.FilePath(target.Layout(), ""))
	dir = path.Clean(dir)
	switch {
	case strings.HasPrefix(file, ".."):
		return unsupported(`the file's name begins with "..", which Kubernetes does not allow in a volume`)
	case strings.Contains(dir, ":"):
		return unsupported(`the file's directory contains ":", which Kubernetes does not allow in a mount path`)
	}
	item := corev1.KeyToPath{Key: ref.Key, Path: file}
	if req.Mode != 0 {
		mode := req.Mode
		item.Mode = &mode
	}
	f.File, f.Honors.Mode = true, true
	f.Volumes, f.VolumeMounts = m.volume(ref.Name, item, dir)
	return f, nil
}

func (m *Manager) reference(ref Ref) *mount.Value {
	return mount.FromSource(&corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: ref.Name},
		Key:                  ref.Key,
		Optional:             &m.optional,
	}})
}

// volume returns a projected volume with one item, and its mount, in one allocation.
func (m *Manager) volume(name string, item corev1.KeyToPath, dir string) ([]corev1.Volume, []corev1.VolumeMount) {
	parts := &struct {
		volumes   [1]corev1.Volume
		projected corev1.ProjectedVolumeSource
		sources   [1]corev1.VolumeProjection
		secret    corev1.SecretProjection
		items     [1]corev1.KeyToPath
		mounts    [1]corev1.VolumeMount
	}{}
	parts.items[0] = item
	parts.secret.Name, parts.secret.Items, parts.secret.Optional = name, parts.items[:], &m.optional
	parts.sources[0].Secret = &parts.secret
	parts.projected.Sources, parts.projected.DefaultMode = parts.sources[:], &m.mode
	parts.volumes[0].Name, parts.volumes[0].Projected = mount.Name(m.Name(), "files", dir), &parts.projected
	parts.mounts[0] = corev1.VolumeMount{Name: parts.volumes[0].Name, MountPath: dir, ReadOnly: true}
	return parts.volumes[:], parts.mounts[:]
}

func unsupported(reason string) (mount.Fragment, error) {
	return mount.Fragment{}, fmt.Errorf("%w: %s", secret.ErrUnsupported, reason)
}
