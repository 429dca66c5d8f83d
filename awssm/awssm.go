// Package awssm serves secrets from AWS Secrets Manager, as files. For each
// secret the Pod gets an init container that fetches it into a volume in memory,
// where the Pod's own containers read it.
//
//	m, err := awssm.New(awssm.Config{})
//	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
//
// A request's group, ":" and its key are the secret's ARN, their case kept:
//
//	secret.Request{Group: "arn:aws:secretsmanager:us-east-2:123456789012:secret", Key: "db-password-AbCdEf"}
//
// Nothing else is served. Ask this manager before package vault's, to which an
// ARN is a path like any other.
//
// The package never talks to AWS and needs no rights there. The init container
// fetches, with the rights of the Pod: those of its service account (IAM roles
// for service accounts), or else the node's. Whoever may create such a Pod may
// read what these rights allow. On EKS a webhook, usually named
// "pod-identity-webhook", hands the service account's role to the containers
// that it sees, so it must be called after this library's: webhooks are called
// in the order of the names of their configurations. The stock image's SDK is
// older than EKS Pod Identity and cannot use it.
//
// # Secrets that cannot be fetched
//
// The stock image exits 0 even when it could not fetch the secret: access
// denied, not found, no network, wrong region. Then there is no file, the Pod
// starts all the same, and the secret is missed only when the client reads it.
// To learn of it earlier:
//
//   - Set Config.Image to one of your own that then exits with another code, so
//     that no Pod starts without its secrets. Like the stock one it fetches
//     SECRET_ARN and writes the file "/tmp" + SECRET_FILENAME, which begins with
//     "/", and the directories above, for everybody to read; it writes nowhere
//     else, and runs as any user.
//   - Or let an init container of the Pod's own check the file. It finds the path
//     in a variable (secret.Request.EnvVar), as all containers that receive
//     secrets do, and runs after the fetching ones if it stands behind them; with
//     mount.InitFirst every one does.
//   - Or alert on the logs of the init containers whose names begin with
//     "podsecrets-": the stock image logs what AWS answered, and nothing when all
//     went well.
//
// What is said here of the stock image is from its source,
// github.com/aws-samples/aws-secret-sidecar-injector.
package awssm

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Config is what a Manager is made of. The zero value is valid.
type Config struct {
	// Image fetches the secrets. Empty means
	// "docker.io/amazon/aws-secrets-manager-secret-sidecar:v0.1.4", which does not
	// tell when it could not; see the package documentation.
	Image string
	// ImagePullSecrets are added to the Pods', for Image. Empty means none.
	ImagePullSecrets []corev1.LocalObjectReference
	// Resources are what each init container requests and is limited to. Nil
	// means 500Mi of memory and 200m of CPU, both requested and the limit, as
	// with Flyte's webhook; an empty one means no request and no limit.
	Resources *corev1.ResourceRequirements
	// RunAsUser is the user that fetches, not 0. It is one for all secrets of a
	// Pod, since they share directories in which only their owner can write. Nil
	// means 65532. Any will do, unless the cluster allows a namespace certain users
	// only, as OpenShift does.
	RunAsUser *int64
}

// Manager is the injector.SecretManager of AWS Secrets Manager. It is immutable
// and safe for concurrent use.
type Manager struct {
	fetcher     corev1.Container // without its name and variables
	pullSecrets []corev1.LocalObjectReference
}

// New returns a Manager, or an error that names the field of cfg that cannot be
// used.
func New(cfg Config) (*Manager, error) {
	fetcher, err := newFetcher(cfg)
	if err != nil {
		return nil, err
	}
	return &Manager{fetcher, slices.Clone(cfg.ImagePullSecrets)}, nil
}

// Name returns "aws".
func (m *Manager) Name() string { return "aws" }

// Mount answers with an init container that fetches the secret into a file.
// secret.ErrUnsupported are a request for a variable; one with a version, as the
// stock image fetches the current version only; group and key that are no ARN,
// on which it would exit with 1, or one whose region would be another host; and a
// Pod for Windows, as the image is for Linux. The context is not used.
func (m *Manager) Mount(_ context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	arn := strings.TrimRight(req.Group, ":") + ":" + strings.TrimLeft(req.Key, ":")
	switch {
	case req.Mount == mount.EnvVar:
		return unsupported("AWS secrets are files, not variables")
	case req.GroupVersion != "":
		return unsupported("of AWS secrets there is the current version only")
	case !isARN(arn):
		return unsupported("group and key are not an ARN")
	case !hasRegion(arn):
		return unsupported("the region of the ARN is not a name")
	case target.OS() == string(corev1.Windows):
		return unsupported("AWS secrets cannot be fetched in a Pod for Windows")
	}
	file := "/" + req.RelPath(target.Layout(), "")
	fetcher := m.fetcher
	fetcher.Name = mount.Name(m.Name(), arn, file)
	return mount.Fragment{
		File: true,
		InitContainers: []mount.InitContainer{{Container: &fetcher, Env: []corev1.EnvVar{
			mount.Literal(arn).EnvVar("SECRET_ARN"),
			mount.Literal(file).EnvVar("SECRET_FILENAME"),
		}}},
		ImagePullSecrets: m.pullSecrets,
	}, nil
}

// isARN reports whether the image would take s for an ARN, as arn.IsARN of
// AWS's SDK does. One that ends in a colon, because there is no key, it would
// take too, but never find.
func isARN(s string) bool {
	return strings.HasPrefix(s, "arn:") && strings.Count(s, ":") >= 5 && !strings.HasSuffix(s, ":")
}

// hasRegion reports whether the region of the ARN, its fourth part, can be a part
// of a host's name, as every region is. The stock image makes it a part of the URL
// that it asks, with a signature and the session's token, and does not look at it:
// with "example.com/" it asks secretsmanager.example.com. (aws-sdk-go looks at it
// since its pull request 3330, of 2020; the image has v1.25.49, of 2019.) Empty
// means the region of the container's environment.
func hasRegion(arn string) bool {
	rest := arn
	for range 3 {
		_, rest, _ = strings.Cut(rest, ":")
	}
	region, _, _ := strings.Cut(rest, ":")
	return strings.Trim(region, "-0123456789abcdefghijklmnopqrstuvwxyz") == ""
}

func unsupported(reason string) (mount.Fragment, error) {
	return mount.Fragment{}, fmt.Errorf("%w: %s", secret.ErrUnsupported, reason)
}
