// Package gcpsm serves secrets from Google Secret Manager. An init container
// fetches them into a volume in memory, where the Pod's own containers read them.
//
//	m, err := gcpsm.New(gcpsm.Config{Fetcher: gcpsm.Fetch, Image: "registry.example.com/fetch:v1"})
//	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
//
// A request's group is the secret, its case kept: a name, or
// "projects/P/secrets/S". The version is the secret's version; without one it is
// "latest". A key is only a part of the derived names.
//
//	secret.Request{Group: "db-password", GroupVersion: "3"}                        // file db-password/3
//	secret.Request{Group: "projects/my-project/secrets/db-password", Key: "value"} // the latest version
//
// [Config.Fetcher] chooses the program that fetches:
//
//   - [Stock] is what Flyte's webhook uses: the Cloud SDK's image, which runs
//     gcloud, in a container for each secret. It serves files, without Field and
//     Mode. What is asked for is handed over in variables, never in the text of a
//     shell command. The container exits with an error if the secret cannot be
//     fetched.
//   - [Fetch] is the program of examples/fetch in an image of your own. One
//     container fetches all secrets, as files and, with [Config.EnvFiles], as
//     variables.
//
// The package never talks to Google and needs no rights there. The init container
// fetches with the rights of the Pod: those of its service account (Workload
// Identity), or else the node's. They need the role
// roles/secretmanager.secretAccessor. Whoever may create such a Pod may read what
// these rights allow.
//
// A Pod whose secret is missing or denied never starts. A secret that changes
// later is fetched by new Pods only.
//
// Flyte's facts (image, file names, the two forms of a name) are from its source,
// v1.16.8. The forms of names are those of
// https://cloud.google.com/secret-manager/docs/reference/rest.
package gcpsm

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/fetch"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Fetcher is the program that fetches.
type Fetcher uint8

const (
	// Stock is gcloud in the Cloud SDK's image: a container for each secret,
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
	// "gcr.io/google.com/cloudsdktool/cloud-sdk:alpine", which Flyte's webhook
	// uses, with Stock; Fetch needs one.
	Image string
	// ImagePullSecrets are added to the Pods, for the image.
	ImagePullSecrets []corev1.LocalObjectReference
	// Resources are what an init container requests and is limited to. Nil means
	// 500Mi of memory and 200m of CPU with Stock, as with Flyte's webhook, and
	// 64Mi and 100m with Fetch; an empty one means no request and no limit.
	Resources *corev1.ResourceRequirements
	// RunAsUser is the user that fetches, not 0. Nil means 65532, unless
	// AssignedUser is set.
	RunAsUser *int64
	// AssignedUser leaves the user to the cluster, as OpenShift needs.
	AssignedUser bool
	// Project is the project of secrets that are asked for by name. Empty means
	// that of the container's environment.
	Project string
	// EnvFiles serves variables too, through env files, which need Kubernetes
	// 1.35 on all nodes. Only Fetch can write them.
	EnvFiles bool
}

// Manager is the injector.SecretManager of Google Secret Manager. It is immutable
// and safe for concurrent use.
type Manager struct {
	project     string
	envFiles    bool
	stock       *fetch.Stock      // or else
	container   *corev1.Container // that of Fetch
	pullSecrets []corev1.LocalObjectReference
}

// New returns a Manager, or an error that names the field of cfg that cannot be
// used.
func New(cfg Config) (*Manager, error) {
	m := &Manager{project: cfg.Project, envFiles: cfg.EnvFiles, pullSecrets: slices.Clone(cfg.ImagePullSecrets)}
	resources := fetch.Resources()
	switch cfg.Fetcher {
	case Stock:
		resources = fetch.StockResources()
		if cfg.Image == "" {
			cfg.Image = "gcr.io/google.com/cloudsdktool/cloud-sdk:alpine"
		}
		if cfg.EnvFiles {
			return nil, fmt.Errorf("gcpsm: EnvFiles need Fetcher Fetch")
		}
	case Fetch:
	default:
		return nil, fmt.Errorf("gcpsm: Fetcher %d is not defined", cfg.Fetcher)
	}
	if cfg.Project != "" && !projectID.MatchString(cfg.Project) {
		return nil, fmt.Errorf("gcpsm: Project %q is not the id or number of a project", cfg.Project)
	}
	template, err := fetch.Options{
		Package: "gcpsm", Image: cfg.Image, Resources: cfg.Resources, RunAsUser: cfg.RunAsUser, AssignedUser: cfg.AssignedUser,
	}.Template(resources)
	if err != nil {
		return nil, err
	}
	if cfg.Fetcher == Fetch {
		m.container = fetch.Container(fetch.GCP, template)
	} else {
		m.stock = fetch.NewStock(m.Name(), template, m.pullSecrets, script, "CLOUDSDK_CONFIG")
	}
	return m, nil
}

// script is what the stock container runs. The version is a whole resource name
// where the project is known, and $SECRET_NAME is then empty.
var script = `export CLOUDSDK_CORE_DISABLE_PROMPTS=1 CLOUDSDK_CORE_DISABLE_FILE_LOGGING=1
set -- access "$SECRET_VERSION"
if [ -n "$SECRET_NAME" ]; then set -- "$@" --secret="$SECRET_NAME"; fi
` + fetch.WriteFile(`gcloud secrets versions "$@" --out-file="$new"`)

// Name returns "gcp".
func (m *Manager) Name() string { return "gcp" }

const project = `[a-z0-9](?:[a-z0-9:.-]{0,61}[a-z0-9])?`

var (
	projectID  = regexp.MustCompile(`^` + project + `$`)
	secretName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
	fullName   = regexp.MustCompile(`^projects/(` + project + `)/(?:locations/[a-z0-9-]{1,63}/)?secrets/([A-Za-z0-9_-]{1,255})$`)
	version    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]{0,62}$`)
)

// Mount answers with an init container that fetches the secret. A group that is
// no secret's name, a version that none can have, and a form that the Fetcher does
// not write are secret.ErrUnsupported, and so is a Pod for Windows, as the images
// are for Linux. The context is not used.
func (m *Manager) Mount(_ context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	name := req.Group
	if m.project != "" && secretName.MatchString(name) {
		name = "projects/" + m.project + "/secrets/" + name
	}
	full := fullName.MatchString(name)
	switch {
	case !full && !secretName.MatchString(name):
		return unsupported("group is neither the name of a secret nor projects/P/secrets/S")
	case req.GroupVersion != "" && !version.MatchString(req.GroupVersion):
		return unsupported("version is none that a secret of Google can have")
	case req.Mount == mount.EnvVar && !m.envFiles:
		return unsupported("Google's secrets are files, unless EnvFiles are configured")
	case target.OS() == string(corev1.Windows):
		return unsupported("Google's secrets cannot be fetched in a Pod for Windows")
	}
	req.Mount = fetch.Form(req, target.Layout(), req.GroupVersion, m.envFiles)
	f := m.fragment(req, target.Layout(), name, full)
	f.Versioned = req.GroupVersion != ""
	if full {
		f.Reads.Name = name
	}
	return f, nil
}

func (m *Manager) fragment(req secret.Request, layout mount.Layout, name string, full bool) mount.Fragment {
	if m.stock == nil {
		return fetch.Fragment(m.container, m.pullSecrets, req, layout, req.GroupVersion, fetch.Item{ID: name, Version: req.GroupVersion})
	}
	version, file := req.GroupVersion, req.RelPath(layout, req.GroupVersion)
	if version == "" {
		version = "latest"
	}
	parts := []string{name, version, file}
	if full {
		return m.stock.Fragment(file, parts, "SECRET_NAME", "", "SECRET_VERSION", name+"/versions/"+version)
	}
	return m.stock.Fragment(file, parts, "SECRET_NAME", name, "SECRET_VERSION", version)
}

func unsupported(reason string) (mount.Fragment, error) {
	return mount.Fragment{}, fmt.Errorf("%w: %s", secret.ErrUnsupported, reason)
}
