// Package confidant is an example of a manager by somebody else. It serves
// secrets from Lyft's Confidant, as files that an init container fetches, and
// imports public packages only.
//
// A request's group is the name of a credential in Confidant and its key one of
// the credential's pairs; both keep their case. Confidant hands out the current
// revision, so a request with a version is not served. Neither is one with a
// field or a mode: the fragment's Honors does not name them, so the injector asks
// the next manager.
//
// # What is real
//
// Confidant is real, and so is its authentication: the Pod's service account has
// an IAM role, by which it gets a token from AWS KMS, and Confidant knows that role
// as a service to which credentials are mapped
// (https://lyft.github.io/confidant/client.html). The image is not real: Confidant
// has a client for the command line, which prints all credentials of a service as
// JSON, but no image that writes one pair of one credential to a file. To use this
// package, build one around that client, with the KMS key and the region in
// /etc/confidant/config. The image must
//
//   - read the CONFIDANT_ variables below;
//   - write CONFIDANT_FILE and the directories above it, readable by everybody,
//     and write nowhere else;
//   - exit with another code than 0 on failure, so that no Pod starts without its
//     secrets.
package confidant

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Config is what a Manager is made of. All fields are required.
type Config struct {
	Image   string // fetches
	URL     string // of Confidant
	Service string // the service as which Confidant knows the Pods
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

// out is where the init container has the volume of the secrets.
const out = "/out"

// Mount answers with an init container that fetches the secret into a file.
func (m *Manager) Mount(_ context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	switch {
	case req.Mount == mount.EnvVar:
		return mount.Fragment{}, fmt.Errorf("%w: secrets of Confidant are files", secret.ErrUnsupported)
	case req.GroupVersion != "":
		return mount.Fragment{}, fmt.Errorf("%w: Confidant hands out current secrets only", secret.ErrUnsupported)
	case req.Group == "" || req.Key == "":
		return mount.Fragment{}, fmt.Errorf("%w: a secret of Confidant has a group and a key", secret.ErrUnsupported)
	}
	file := out + "/" + req.RelPath(target.Layout(), "")
	user := int64(65532)
	return mount.Fragment{File: true, InitContainers: []mount.InitContainer{{
		Container: &corev1.Container{
			// A container of its own for each file.
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
