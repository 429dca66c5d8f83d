// Package awssm serves secrets from AWS Secrets Manager. An init container
// fetches them into a volume in memory, where the Pod's own containers read them.
//
//	m, err := awssm.New(awssm.Config{})
//	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
//
// A request's group, ":" and its key are the secret's ARN, their case kept:
//
//	secret.Request{Group: "arn:aws:secretsmanager:us-east-2:123456789012:secret", Key: "db-password-AbCdEf"}
//
// [Config.Fetcher] chooses the program that fetches:
//
//   - [Stock] is the image that Flyte's webhook uses, in a container for each
//     secret. It serves files, without Field and Mode. Its project is archived, and
//     it exits with 0 when it could not fetch; see below.
//   - [Fetch] is the program of examples/fetch in an image of your own. One
//     container fetches all secrets, as files and, with [Config.EnvFiles], as
//     variables. A group may then also be the name of a secret in the region of
//     [Config.Region], and the key is only a part of the derived names. A JSON key,
//     as AWS' console calls it, is secret.Request.Field.
//
// With Fetch, nearly any group is a name, so ask this manager behind all that are
// more particular; package vault takes any group too. With Stock nothing but ARNs
// is served: ask it before package vault's, to which an ARN is a path like any
// other.
//
// The package never talks to AWS and needs no rights there. The init container
// fetches, with the rights of the Pod: those of its service account (IAM roles
// for service accounts, and with Fetch EKS Pod Identity), or else the node's.
// Whoever may create such a Pod may read what these rights allow. On EKS a
// webhook, usually named "pod-identity-webhook", hands the service account's role
// to the containers that it sees, so it must be called after this library's:
// webhooks are called in the order of the names of their configurations.
//
// # Secrets that the stock image cannot fetch
//
// The stock image exits 0 even when it could not fetch the secret: access
// denied, not found, no network, wrong region. Then there is no file, the Pod
// starts all the same, and the secret is missed only when the client reads it. To
// learn of it earlier:
//
//   - Use Fetch, which then exits with another code, so that no Pod starts without
//     its secrets, and says why in the termination message.
//   - Or let an init container of the Pod's own check the file. It finds the path
//     in a variable (secret.Request.EnvVar), as all receivers do, and runs after
//     the fetching ones if it stands behind them; with mount.InitFirst every one
//     does.
//   - Or alert on the logs of the init containers whose names begin with
//     "podsecrets-": the stock image logs what AWS answered, and nothing when all
//     went well.
//
// What is said here of the stock image is from its source,
// github.com/aws-samples/aws-secret-sidecar-injector.
package awssm

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/fetch"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Fetcher is the program that fetches.
type Fetcher uint8

const (
	// Stock is the image that Flyte's webhook uses: a container for each secret,
	// files only. It is the zero value.
	Stock Fetcher = iota
	// Fetch is the program of examples/fetch: one container for all secrets,
	// files and variables, fields and modes.
	Fetch
)

// String returns "Stock" or "Fetch".
func (f Fetcher) String() string { return fetch.FetcherString(uint8(f)) }

// Config is what a Manager is made of. The zero value is valid: Stock.
type Config struct {
	// Fetcher is the program that fetches. The zero value is Stock.
	Fetcher Fetcher
	// Image is the program's image. Empty means
	// "docker.io/amazon/aws-secrets-manager-secret-sidecar:v0.1.4", which Flyte's
	// webhook uses, with Stock; Fetch needs one. One in the place of the stock
	// image fetches SECRET_ARN and writes the file "/tmp" + SECRET_FILENAME, which
	// begins with "/", and the directories above, for everybody to read. It writes
	// nowhere else, and runs as any user.
	Image string
	// ImagePullSecrets are added to the Pods, for the image.
	ImagePullSecrets []corev1.LocalObjectReference
	// Resources are what an init container requests and is limited to. Nil means
	// 500Mi of memory and 200m of CPU with Stock, as with Flyte's webhook, and
	// 64Mi and 100m with Fetch; an empty one means no request and no limit.
	Resources *corev1.ResourceRequirements
	// RunAsUser is the user that fetches, not 0. It is one for all secrets of a
	// Pod, since they share directories in which only their owner can write. Nil
	// means 65532, unless AssignedUser is set.
	RunAsUser *int64
	// AssignedUser leaves the user to the cluster, as OpenShift needs. The stock
	// image names no user, so it then needs a cluster that assigns one.
	AssignedUser bool
	// Region is that of secrets that are asked for by name. Empty means that of
	// the container's environment. Only Fetch reads names.
	Region string
	// EnvFiles serves variables too, through env files, which need Kubernetes
	// 1.35 on all nodes. Only Fetch can write them.
	EnvFiles bool
}

// Manager is the injector.SecretManager of AWS Secrets Manager. It is immutable
// and safe for concurrent use.
type Manager struct {
	envFiles    bool
	stock       corev1.Container  // without its name and variables
	container   *corev1.Container // that of Fetch, nil with Stock
	pullSecrets []corev1.LocalObjectReference
}

// New returns a Manager, or an error that names the field of cfg that cannot be
// used.
func New(cfg Config) (*Manager, error) {
	m := &Manager{envFiles: cfg.EnvFiles, pullSecrets: slices.Clone(cfg.ImagePullSecrets)}
	resources := fetch.Resources()
	switch {
	case cfg.Fetcher > Fetch:
		return nil, fmt.Errorf("awssm: Fetcher %d is not defined", cfg.Fetcher)
	case cfg.Fetcher == Stock && cfg.EnvFiles:
		return nil, fmt.Errorf("awssm: EnvFiles need Fetcher Fetch")
	case cfg.Fetcher == Stock && cfg.Region != "":
		return nil, fmt.Errorf("awssm: Region needs Fetcher Fetch")
	case cfg.Region != "" && strings.Trim(cfg.Region, lower+digits+"-") != "":
		return nil, fmt.Errorf("awssm: Region %q is not the name of a region", cfg.Region)
	case cfg.Fetcher == Stock:
		resources = fetch.StockResources()
		cfg.Image = cmp.Or(cfg.Image, "docker.io/amazon/aws-secrets-manager-secret-sidecar:v0.1.4")
	}
	template, err := fetch.Options{
		Package: "awssm", Image: cfg.Image, Resources: cfg.Resources, RunAsUser: cfg.RunAsUser, AssignedUser: cfg.AssignedUser,
	}.Template(resources)
	if err != nil {
		return nil, err
	}
	if cfg.Fetcher == Fetch {
		if cfg.Region != "" {
			template.Env = []corev1.EnvVar{{Name: "AWS_REGION", Value: cfg.Region}}
		}
		m.container = fetch.Container(fetch.AWS, template)
		return m, nil
	}
	// The image writes nowhere but below /tmp. It names no user, so that without
	// one it would be root and never start.
	template.VolumeMounts = []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/tmp"}}
	m.stock = template
	return m, nil
}

// Name returns "aws".
func (m *Manager) Name() string { return "aws" }

// Mount answers with an init container that fetches the secret. A group and key
// that are no secret's ARN or name, one with a version, as there is no way to know
// what a version of AWS means in a name, and a form that the Fetcher does not write
// are secret.ErrUnsupported, and so is a Pod for Windows, as the images are for
// Linux. The context is not used.
func (m *Manager) Mount(_ context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	id, isARN, err := m.id(req)
	switch {
	case err != nil:
		return mount.Fragment{}, err
	case req.Mount == mount.EnvVar && !m.envFiles:
		return unsupported("AWS secrets are files, unless EnvFiles are configured")
	case req.GroupVersion != "":
		return unsupported("of AWS secrets there is the current version only")
	case target.OS() == string(corev1.Windows):
		return unsupported("AWS secrets cannot be fetched in a Pod for Windows")
	}
	layout := target.Layout()
	req.Mount = fetch.Form(req, layout, "", m.envFiles)
	f := m.fragment(req, layout, id)
	if isARN { // otherwise its region, or more, is not known
		f.Reads.Name = id
	}
	return f, nil
}

func (m *Manager) fragment(req secret.Request, layout mount.Layout, id string) mount.Fragment {
	if m.container != nil {
		return fetch.Fragment(m.container, m.pullSecrets, req, layout, "", fetch.Item{ID: id})
	}
	file := "/" + req.RelPath(layout, "")
	fetcher := m.stock
	fetcher.Name = mount.Name(m.Name(), id, file)
	return mount.Fragment{
		File: true,
		InitContainers: []mount.InitContainer{{Container: &fetcher, Env: []corev1.EnvVar{
			mount.Literal(id).EnvVar("SECRET_ARN"),
			mount.Literal(file).EnvVar("SECRET_FILENAME"),
		}}},
		ImagePullSecrets: m.pullSecrets,
	}
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	digits = "0123456789"
)

// id returns what a group and key name: an ARN, or with Fetch a name too. isARN is
// also false for an ARN without a region, which is another spelling of one with
// the region of the container's environment.
func (m *Manager) id(req secret.Request) (id string, isARN bool, err error) {
	id = strings.TrimRight(req.Group, ":") + ":" + strings.TrimLeft(req.Key, ":")
	if req.Key == "" {
		id = req.Group
	}
	if m.container != nil && arnFlaw(req.Group) == "" {
		id = req.Group // the key is a part of the names only
	}
	flaw := arnFlaw(id)
	if name := cmp.Or(req.Group, req.Key); flaw == notAnARN && m.container != nil && isName(name) {
		return name, false, nil
	}
	if flaw != "" {
		_, err := unsupported(flaw)
		return "", false, err
	}
	return id, !strings.Contains(id, "::"), nil
}

const notAnARN = "group and key are not an ARN"

// arnFlaw says why a text is not the ARN of a secret, of any partition, or "".
//
// The region must be one that can be a part of a host's name, as every region is:
// the stock image makes it a part of the URL that it asks, with a signature and
// the session's token, and does not look at it. With "example.com/" it asks
// secretsmanager.example.com. (aws-sdk-go looks at it since its pull request 3330,
// of 2020; the image has v1.25.49, of 2019.)
func arnFlaw(s string) string {
	const partition, service, region, account, kind, name = 1, 2, 3, 4, 5, 6
	var parts [name + 1]string
	count := 0
	for part := range strings.SplitSeq(s, ":") {
		if count < len(parts) {
			parts[count] = part
		}
		count++
	}
	switch {
	case parts[0] != "arn":
		return notAnARN
	case count <= name, strings.Trim(parts[partition], lower+"-") != "", parts[service] != "secretsmanager",
		strings.Trim(parts[account], digits) != "", parts[account] == "", parts[kind] != "secret", parts[name] == "":
		if count > region && parts[service] == "secretsmanager" && strings.Trim(parts[region], lower+digits+"-") != "" {
			break
		}
		return "group and key are not the ARN of a secret (arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME)"
	case count > name+1:
		return "group and key are an ARN with a JSON key behind it; ask for the key as field"
	}
	if strings.Trim(parts[region], lower+digits+"-") != "" {
		return "the region of the ARN is not a name"
	}
	return ""
}

// isName reports whether a secret of AWS can have the name.
func isName(s string) bool {
	return s != "" && len(s) <= 512 && strings.Trim(s, lower+digits+"ABCDEFGHIJKLMNOPQRSTUVWXYZ/_+=.@-") == ""
}

func unsupported(reason string) (mount.Fragment, error) {
	return mount.Fragment{}, fmt.Errorf("%w: %s", secret.ErrUnsupported, reason)
}
