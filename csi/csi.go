// Package csi serves secrets through the Secrets Store CSI driver, as files. The driver
// and a provider for the store must run in the cluster. A SecretProviderClass in the
// Pod's namespace lists the secrets.
//
//	m, err := csi.New(csi.Config{})
//	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
//
// A request's group is the name of the SecretProviderClass, lower-cased. Its key is the
// file: the object's name or alias in the class. An alias may contain directories.
//
//	secret.Request{Group: "aws-secrets", Key: "db-password"} // file aws-secrets/db-password
//
// The Pod gains one read-only inline volume per class, with all files of the class. The
// volume is mounted at the directory that remains if the key is removed from the end of
// the file's path: usually the directory of the group. A container that receives one
// file sees the others too, so all requests for a class must have the same Container.
// Rules (injector.Rule) see only the class: they cannot allow a single file of it.
//
// The class chooses the files' names, so a file's path must end with the key; otherwise
// the request is secret.ErrUnsupported. A derived path is in lower case, so it never
// ends with a key that has upper case. Nor does it end with the key if the layout has a
// FilePrefix. An exact path (secret.Request.Path) and an exact layout keep the case.
//
// The package cannot know whether the class or the secret exists. If one is missing,
// the mount fails and the Pod waits: nothing is optional. Root owns the files, with
// mode 0644. If rotation is enabled in the driver, files change in running Pods.
//
// A class is not an access boundary: a Pod's volume can override parameters of the
// class, and the provider reads with the rights of the Pod's service account. Limit
// those rights.
//
// Facts about the driver are from its source and documentation, v1.6.0.
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

// Config configures a Manager. The zero value is valid.
type Config struct {
	// Driver is the name of the CSI driver. Empty means
	// "secrets-store.csi.k8s.io". GKE's add-on is "secrets-store-gke.csi.k8s.io".
	Driver string
}

// Manager is the injector.SecretManager of the Secrets Store CSI driver. It is
// immutable and safe for concurrent use.
type Manager struct{ driver string }

// New returns a Manager, or an error that names the invalid field of cfg.
func New(cfg Config) (*Manager, error) {
	if cfg.Driver == "" {
		cfg.Driver = "secrets-store.csi.k8s.io"
	}
	// As in Kubernetes' ValidateCSIDriverName: a subdomain, in any case.
	if len(cfg.Driver) > 63 || !names.IsSubdomain(strings.ToLower(cfg.Driver)) {
		return nil, fmt.Errorf("csi: Driver %q is not a valid name of a CSI driver", cfg.Driver)
	}
	return &Manager{cfg.Driver}, nil
}

// Name returns "csi".
func (m *Manager) Name() string { return "csi" }

// Mount returns an inline volume of the class. It returns secret.ErrUnsupported for a
// request for a variable, for a request with a version, for an invalid name of a class
// or a file, and if the file's path does not end with the key. The context is not used.
func (m *Manager) Mount(_ context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	class := strings.ToLower(req.Group)
	switch {
	case req.Mount == mount.EnvVar:
		return unsupported("the CSI driver serves files only")
	case req.GroupVersion != "":
		return unsupported("a SecretProviderClass has no versions")
	case !names.IsSubdomain(class):
		return unsupported("group is not a valid name of a SecretProviderClass")
	case req.Key == "" || path.Clean("/" + req.Key)[1:] != req.Key:
		return unsupported("key is not a clean relative path")
	}
	dir, ok := strings.CutSuffix(req.FilePath(target.Layout(), ""), "/"+req.Key)
	switch {
	case !ok:
		return unsupported("the file's path does not end with the key, which is the file's name in the class: use a lower-case key, or a path that ends with the key")
	case strings.Contains(dir, ":"):
		return unsupported(`the file's directory contains ":", which Kubernetes does not allow in a mount path`)
	}
	readOnly := true
	volume := mount.Name(m.Name(), m.driver, class)
	return mount.Fragment{
		File: true,
		// Without a key, because the volume has all files of the class.
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
