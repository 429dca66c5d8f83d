// Package awssm serves secrets from AWS Secrets Manager. An init container fetches them
// into a volume in memory, from which the Pod's own containers read them.
//
//	m, err := awssm.New(awssm.Config{})
//	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
//
// If a request's key is empty, its group is the secret's ARN. Otherwise the ARN is the
// group, ":" and the key, case kept:
//
//	secret.Request{Group: "arn:aws:secretsmanager:us-east-2:123456789012:secret", Key: "db-password-AbCdEf"}
//
// [Config.Fetcher] chooses the program that fetches:
//
//   - [Stock] is the image that Flyte's webhook uses, in one container per secret. It
//     serves files, without Field and Mode. The image's project is archived, and the
//     image exits with 0 even if it fails to fetch; see below.
//   - [Fetch] is the program of examples/fetch in an image that you build. One
//     container fetches all secrets, as files and, with [Config.EnvFiles], as
//     variables. The group may also be a whole ARN, or the name of a secret in
//     [Config.Region]. The key is then only a part of the derived names.
//     secret.Request.Field is what AWS' console calls a JSON key.
//
// With Fetch, nearly any group is a valid name, so put this manager after more specific
// ones. Package vault accepts any group too. With Stock, this manager serves only ARNs:
// put it before package vault, to which an ARN is a path like any other.
//
// The package never contacts AWS and needs no rights there. The init container fetches
// with the Pod's rights: those of its service account (IAM roles for service accounts,
// and with Fetch also EKS Pod Identity), or else the node's. Anyone who can create such
// a Pod can read what these rights allow. On EKS, a webhook gives the service account's
// role to containers. Its configuration is usually named "pod-identity-webhook". It
// must run after this library's webhook: API servers call webhooks in the order of
// their configurations' names.
//
// # Secrets that the stock image cannot fetch
//
// The stock image exits with 0 even if it fails to fetch the secret: access denied, not
// found, no network, wrong region. Then the file is missing, the Pod starts anyway, and
// the failure shows only when the client reads the secret. To detect the failure
// earlier:
//
//   - Use Fetch. It exits with an error and a termination message, so no Pod starts
//     without its secrets.
//   - Or let one of the Pod's own init containers check the file. It finds the path in
//     the variable that secret.Request.EnvVar names, as all receivers do. It must come
//     after the fetchers; with mount.InitFirst every init container does.
//   - Or alert on the logs of the init containers whose names begin with "podsecrets-":
//     the stock image logs an error from AWS, and nothing on success.
//
// Facts about the stock image are from its source,
// github.com/aws-samples/aws-secret-sidecar-injector.
package awssm

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
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
	// Stock, the zero value, is the image that Flyte's webhook uses: one container per
	// secret, files only.
	Stock Fetcher = iota
	// Fetch is the program of examples/fetch: one container for all secrets,
	// files and variables, fields and modes.
	Fetch
)

// String returns "Stock", "Fetch", or "Fetcher(7)" for an undefined value.
func (f Fetcher) String() string { return fetch.FetcherString(uint8(f)) }

// Config configures a Manager. The zero value is valid: Stock.
type Config struct {
	// Fetcher is the program that fetches. The zero value is Stock.
	Fetcher Fetcher
	// Image is the program's image, required with Fetch. With Stock, empty means
	// "docker.io/amazon/aws-secrets-manager-secret-sidecar:v0.1.4", as in Flyte's
	// webhook. A replacement for the stock image must fetch the secret SECRET_ARN,
	// and write it to the file "/tmp" + SECRET_FILENAME (SECRET_FILENAME begins
	// with "/"). It must create the file's parent directories, and let everyone
	// read them and the file. It must write nowhere else, and work as any user.
	Image string
	// ImagePullSecrets are added to Pods so that the kubelet can pull the image.
	ImagePullSecrets []corev1.LocalObjectReference
	// Resources are the init container's requests and limits. Nil means 500Mi of
	// memory and 200m of CPU with Stock, as in Flyte's webhook, and 64Mi and 100m with
	// Fetch. An empty struct means no requests and no limits.
	Resources *corev1.ResourceRequirements
	// RunAsUser is the ID of the user that fetches; 0 is an error. All secrets of a
	// Pod need the same user, because they share directories that only their owner
	// can write to. Nil means 65532, unless AssignedUser is set.
	RunAsUser *int64
	// AssignedUser lets the cluster choose the user, as OpenShift requires. The
	// stock image sets no user, so with it the cluster must assign one.
	AssignedUser bool
	// Region is the region of secrets requested by name. It requires Fetch. Empty
	// means that the init container finds the region: from its environment, or from
	// the metadata of its EC2 instance.
	Region string
	// EnvFiles also serves variables, through env files. It requires Fetch, and
	// Kubernetes 1.35 or later on all nodes.
	EnvFiles bool
}

// Manager is the injector.SecretManager of AWS Secrets Manager. It is immutable
// and safe for concurrent use.
type Manager struct {
	envFiles    bool
	stock       corev1.Container  // with Stock, without name and variables
	container   *corev1.Container // with Fetch, otherwise nil
	pullSecrets []corev1.LocalObjectReference
}

// New returns a Manager, or an error that names the invalid field of cfg.
func New(cfg Config) (*Manager, error) {
	m := &Manager{envFiles: cfg.EnvFiles, pullSecrets: slices.Clone(cfg.ImagePullSecrets)}
	switch {
	case cfg.Fetcher == Stock && cfg.Region != "":
		return nil, fmt.Errorf("awssm: Region requires Fetcher Fetch")
	case strings.Trim(cfg.Region, regionChars) != "":
		return nil, fmt.Errorf("awssm: Region %q is not a valid region name", cfg.Region)
	}
	template, err := fetch.Options{
		Package: "awssm", Fetcher: uint8(cfg.Fetcher), Image: cfg.Image, StockImage: "docker.io/amazon/aws-secrets-manager-secret-sidecar:v0.1.4",
		Resources: cfg.Resources, RunAsUser: cfg.RunAsUser, AssignedUser: cfg.AssignedUser, EnvFiles: cfg.EnvFiles,
	}.Template()
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
	// The image writes only below /tmp.
	template.VolumeMounts = []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/tmp"}}
	m.stock = template
	return m, nil
}

// Name returns "aws".
func (m *Manager) Name() string { return "aws" }

// Mount returns an init container that fetches the secret. It returns
// secret.ErrUnsupported if group and key are not a secret's ARN or name, for a version
// (only the current one is fetched), for a form that the Fetcher does not write, and
// for a Pod for Windows (the images are for Linux). The context is not used.
func (m *Manager) Mount(_ context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	id, isARN, err := m.id(req)
	switch {
	case err != nil:
		return mount.Fragment{}, err
	case req.Mount == mount.EnvVar && !m.envFiles:
		return fetch.Unsupported("AWS secrets are served as files only, unless EnvFiles is set")
	case req.GroupVersion != "":
		return fetch.Unsupported("AWS secrets are served in their current version only")
	case target.OS() == string(corev1.Windows):
		return fetch.Unsupported("AWS secrets cannot be fetched in a Pod for Windows")
	}
	layout := target.Layout()
	req.Mount = fetch.Form(req, layout, "", m.envFiles)
	f := m.fragment(req, layout, id)
	if isARN { // otherwise at least the region is unknown
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
	lower       = "abcdefghijklmnopqrstuvwxyz"
	digits      = "0123456789"
	regionChars = lower + digits + "-"
)

// fetchARN is what the Fetch program accepts; any other ARN would fail in the Pod.
var fetchARN = regexp.MustCompile(`^arn:aws[a-z-]*:secretsmanager:[a-z]{2,4}(?:-[a-z]+){1,3}-[0-9]{1,2}:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]{1,520}$`)

// id returns the secret's ARN or, with Fetch, its name. isARN is also false for an ARN
// without a region: it means the region of the container's environment, so it is an
// alias of another ARN.
func (m *Manager) id(req secret.Request) (id string, isARN bool, err error) {
	id = strings.TrimRight(req.Group, ":") + ":" + strings.TrimLeft(req.Key, ":")
	if req.Key == "" {
		id = req.Group
	}
	if m.container != nil && arnFlaw(req.Group) == "" {
		id = req.Group // the key is only a part of the names
	}
	flaw := arnFlaw(id)
	if name := cmp.Or(req.Group, req.Key); flaw == notAnARN && m.container != nil && isName(name) {
		return name, false, nil
	}
	if flaw == "" && m.container != nil && !fetchARN.MatchString(id) {
		flaw = "with Fetcher Fetch, an ARN needs a region, an account of 12 digits, and a name of at most 520 letters, digits and /_+=.@-"
	}
	if flaw != "" {
		_, err := fetch.Unsupported(flaw)
		return "", false, err
	}
	return id, !strings.Contains(id, "::"), nil
}

const notAnARN = "group and key are not an ARN"

// arnFlaw returns why s is not the ARN of a secret, in any partition, or "".
//
// The region must be a valid part of a host name: the stock image puts it unchecked into
// the URL to which it sends a signature and the session's token. With "example.com/" it
// would contact secretsmanager.example.com. (aws-sdk-go checks it since its pull request
// 3330, of 2020; the image has v1.25.49, of 2019.)
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
		if count > region && parts[service] == "secretsmanager" && strings.Trim(parts[region], regionChars) != "" {
			break
		}
		return "group and key are not the ARN of a secret (arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME)"
	case count > name+1:
		return "group and key are an ARN followed by a JSON key; request that JSON key with \"field\""
	}
	if strings.Trim(parts[region], regionChars) != "" {
		return "the ARN's region is not a valid region name"
	}
	return ""
}

// isName reports whether s is a valid name of an AWS secret.
func isName(s string) bool {
	return s != "" && len(s) <= 512 && strings.Trim(s, lower+digits+"ABCDEFGHIJKLMNOPQRSTUVWXYZ/_+=.@-") == ""
}
