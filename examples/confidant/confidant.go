// Package confidant is an example of a third-party manager. It serves secrets from Lyft's
// Confidant, as files that an init container fetches. It imports public packages only.
//
// A request's group is the name of a credential in Confidant, and its key is one of the
// credential's pairs; both keep their case. Confidant serves only the current revision, so
// requests with a version are not served. Neither are requests with a field or a mode: the
// fragment's Honors does not include them, so the injector tries the next manager.
//
// # What you must build
//
// Confidant and its authentication exist: the Pod's service account has an IAM role, with
// which it gets a token from AWS KMS, and Confidant maps credentials to that role as a
// service (https://lyft.github.io/confidant/client.html). The image does not exist:
// Confidant's command-line client prints all credentials of a service as JSON, but no image
// writes one pair of a credential to a file. To use this package, build an image around that
// client, with the KMS key and the region in /etc/confidant/config. The image must
//
//   - read the CONFIDANT_ variables below;
//   - write CONFIDANT_FILE and its parent directories, readable by everyone, and write
//     nowhere else;
//   - fail with an exit code other than 0, so that no Pod starts without its secrets.
package confidant

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Config configures a Manager. All fields are required.
type Config struct {
	Image   string // of the init container
	URL     string // of Confidant
	Service string // the Pods' service in Confidant
}

// Manager is the injector.SecretManager of Confidant. It is immutable and safe
// for concurrent use.
type Manager struct{ cfg Config }

// New returns a Manager, or an error if a field of cfg is empty.
func New(cfg Config) (*Manager, error) {
	if cfg.Image == "" || cfg.URL == "" || cfg.Service == "" {
		return nil, errors.New("confidant: Image, URL and Service are required")
	}
	return &Manager{cfg}, nil
}

// Name returns "confidant".
func (m *Manager) Name() string { return "confidant" }

// out is the mount path of the fetched files in the init container.
const out = "/out"

// Mount returns an init container that fetches the secret into a file.
func (m *Manager) Mount(_ context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	switch {
	case req.Mount == mount.EnvVar:
		return mount.Fragment{}, fmt.Errorf("%w: Confidant secrets are served as files only", secret.ErrUnsupported)
	case req.GroupVersion != "":
		return mount.Fragment{}, fmt.Errorf("%w: Confidant serves only current secrets", secret.ErrUnsupported)
	case req.Group == "" || req.Key == "":
		return mount.Fragment{}, fmt.Errorf("%w: a Confidant secret needs a group and a key", secret.ErrUnsupported)
	}
	file := out + "/" + req.RelPath(target.Layout(), "")
	user := int64(65532)
	return mount.Fragment{File: true, InitContainers: []mount.InitContainer{{
		Container: &corev1.Container{
			// One container per file.
			Name:            mount.Name(m.Name(), m.cfg.URL, m.cfg.Service, req.Group, req.Key, file),
			Image:           m.cfg.Image,
			VolumeMounts:    []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: out}},
			SecurityContext: mount.Restricted(&user),
		},
		Env: []corev1.EnvVar{
			mount.Literal(m.cfg.URL).EnvVar("CONFIDANT_URL"),
			mount.Literal(m.cfg.Service).EnvVar("CONFIDANT_SERVICE"),
			mount.Literal(req.Group).EnvVar("CONFIDANT_CREDENTIAL"),
			mount.Literal(req.Key).EnvVar("CONFIDANT_PAIR"),
			mount.Literal(file).EnvVar("CONFIDANT_FILE"),
		},
	}}, Reads: mount.Object{Name: req.Group, Key: req.Key}}, nil
}
