// Package csi serves secrets through the Secrets Store CSI driver, as files. The
// driver and a provider for the store must run in the cluster, and a
// SecretProviderClass in the Pod's namespace says what there is.
//
//	m, err := csi.New(csi.Config{})
//	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
//
// A request's group is the name of the SecretProviderClass, lower-cased, and its
// key is the file in it: what the class calls the object or its alias. An alias may
// have directories.
//
//	secret.Request{Group: "aws-secrets", Key: "db-password"} // file aws-secrets/db-password
//
// The Pod gains one read-only inline volume for each class, mounted at the group's
// directory, with all files of the class. So a container that gets one of them sees
// the others too, and all requests for a class must have the same Container. Rules
// (injector.Rule) see the class and no key: they cannot allow one of its files alone.
//
// The class decides the files' names. Flyte's client looks for lower-case names, so
// a key with upper case is secret.ErrUnsupported, unless the layout is exact. An
// exact path (secret.Request.Path) must be that of the file in the class' directory:
// its last part is the key, or it is secret.ErrUnsupported.
//
// The package cannot know whether the class or the secret exists. If one does not,
// the mount fails and the Pod waits: there is nothing optional. Files belong to
// root, with mode 0644. Rotation, where the driver has it on, changes the files in
// running Pods.
//
// A class is no boundary of access: the driver lets a Pod's volume override
// parameters of the class, and the provider reads with the rights of the Pod's
// service account. Limit those.
//
// What is said here of the driver is from its source and documentation, v1.6.0.
package csi

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

// Config is what a Manager is made of. The zero value is valid.
type Config struct {
	// Driver is the name of the CSI driver. Empty means
	// "secrets-store.csi.k8s.io". GKE's add-on is "secrets-store-gke.csi.k8s.io".
	Driver string
}

// Manager is the injector.SecretManager of the Secrets Store CSI driver. It is
// immutable and safe for concurrent use.
type Manager struct{ driver string }

// New returns a Manager, or an error that names the field of cfg that cannot be
// used.
func New(cfg Config) (*Manager, error) {
	if cfg.Driver == "" {
		cfg.Driver = "secrets-store.csi.k8s.io"
	}
	// As Kubernetes' ValidateCSIDriverName: a subdomain, in any case.
	if len(cfg.Driver) > 63 || !names.IsSubdomain(strings.ToLower(cfg.Driver)) {
		return nil, fmt.Errorf("csi: Driver %q is not the name of a CSI driver", cfg.Driver)
	}
	return &Manager{cfg.Driver}, nil
}

// Name returns "csi".
func (m *Manager) Name() string { return "csi" }

// Mount answers with an inline volume of the class. A request for a variable, one
// with a version, one whose names no class or file can have, and one for a file
// that could not be found under its name are secret.ErrUnsupported. The context is
// not used.
func (m *Manager) Mount(_ context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	class := strings.ToLower(req.Group)
	switch {
	case req.Mount == mount.EnvVar:
		return unsupported("the CSI driver's secrets are files")
	case req.GroupVersion != "":
		return unsupported("a SecretProviderClass has no versions for requests to choose")
	case !names.IsSubdomain(class):
		return unsupported("group cannot be the name of a SecretProviderClass")
	case req.Key == "" || path.Clean("/" + req.Key)[1:] != req.Key:
		return unsupported("key is not the path of a file")
	}
	dir, ok := strings.CutSuffix(req.FilePath(target.Layout(), ""), "/"+req.Key)
	switch {
	case !ok:
		return unsupported("the file would not have the name that the class gives it (the key), because of its letters, a prefix or the path")
	case strings.Contains(dir, ":"):
		return unsupported(`the file's directory has ":", which no mount path may`)
	}
	readOnly := true
	volume := mount.Name(m.Name(), m.driver, class)
	return mount.Fragment{
		File: true,
		// The volume has all files of the class, and so no rule can allow one alone.
		Reads: mount.Object{Name: class},
		Volumes: []corev1.Volume{{Name: volume, VolumeSource: corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{
			Driver: m.driver, ReadOnly: &readOnly, VolumeAttributes: map[string]string{"secretProviderClass": class},
		}}}},
		VolumeMounts: []corev1.VolumeMount{{Name: volume, MountPath: dir, ReadOnly: true}},
	}, nil
}

func unsupported(reason string) (mount.Fragment, error) {
	return mount.Fragment{}, fmt.Errorf("%w: %s", secret.ErrUnsupported, reason)
}
