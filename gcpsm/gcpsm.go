// Package gcpsm serves secrets from Google Secret Manager. An init container fetches
// them into a volume in memory, from which the Pod's own containers read them.
//
//	m, err := gcpsm.New(gcpsm.Config{Fetcher: gcpsm.Fetch, Image: "registry.example.com/fetch:v1"})
//	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
//
// A request's group names the secret, case kept. It is a name in [Config.Project],
// "projects/P/secrets/S", or "projects/P/locations/L/secrets/S" for a regional secret.
// The request's version is the secret's version: a number or an alias. Empty means
// "latest". The key is only a part of the derived names.
//
//	secret.Request{Group: "db-password", GroupVersion: "3"}                        // file db-password/3
//	secret.Request{Group: "projects/my-project/secrets/db-password", Key: "value"} // the latest version
//
// [Config.Fetcher] chooses the program that fetches:
//
//   - [Stock] is what Flyte's webhook uses: gcloud in the Cloud SDK's image, in one
//     container per secret. It serves files, without Field and Mode. The request
//     reaches the container in variables, never in the text of a shell command. The
//     container fails if it cannot fetch the secret.
//   - [Fetch] is the program of examples/fetch in an image that you build. One
//     container fetches all secrets, as files and, with [Config.EnvFiles], as
//     variables.
//
// The package never contacts Google and needs no rights there. The init container
// fetches with the Pod's rights: those of its service account (Workload Identity), or
// else the node's. They must include roles/secretmanager.secretAccessor. Anyone who can
// create such a Pod can read what these rights allow.
//
// A Pod does not start if its secret is missing or the store denies access. A running
// Pod does not see later changes of the secret.
//
// Facts about Flyte (image, file names, the two forms of a name) are from its source,
// v1.16.8. The name formats are from
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
	// Stock, the zero value, is gcloud in the Cloud SDK's image: one container per
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
	// "gcr.io/google.com/cloudsdktool/cloud-sdk:alpine", as in Flyte's webhook.
	Image string
	// ImagePullSecrets are added to Pods so that the kubelet can pull the image.
	ImagePullSecrets []corev1.LocalObjectReference
	// Resources are the init container's requests and limits. Nil means 500Mi of
	// memory and 200m of CPU with Stock, as in Flyte's webhook, and 64Mi and 100m with
	// Fetch. An empty struct means no requests and no limits.
	Resources *corev1.ResourceRequirements
	// RunAsUser is the ID of the user that fetches; 0 is an error. Nil means 65532,
	// unless AssignedUser is set.
	RunAsUser *int64
	// AssignedUser lets the cluster choose the user, as OpenShift requires.
	AssignedUser bool
	// Project is the ID or number of the project of secrets requested by name.
	// Empty means that the init container finds the project: from its environment,
	// or from Google's metadata server.
	Project string
	// EnvFiles also serves variables, through env files. It requires Fetch, and
	// Kubernetes 1.35 or later on all nodes.
	EnvFiles bool
}

// Manager is the injector.SecretManager of Google Secret Manager. It is immutable
// and safe for concurrent use.
type Manager struct {
	project     string
	envFiles    bool
	stock       *fetch.Stock      // with Stock, otherwise nil
	container   *corev1.Container // with Fetch, otherwise nil
	pullSecrets []corev1.LocalObjectReference
}

// New returns a Manager, or an error that names the invalid field of cfg.
func New(cfg Config) (*Manager, error) {
	m := &Manager{project: cfg.Project, envFiles: cfg.EnvFiles, pullSecrets: slices.Clone(cfg.ImagePullSecrets)}
	if cfg.Project != "" && !projectID.MatchString(cfg.Project) {
		return nil, fmt.Errorf("gcpsm: Project %q is not a valid project ID or number", cfg.Project)
	}
	template, err := fetch.Options{
		Package: "gcpsm", Fetcher: uint8(cfg.Fetcher), Image: cfg.Image, StockImage: "gcr.io/google.com/cloudsdktool/cloud-sdk:alpine",
		Resources: cfg.Resources, RunAsUser: cfg.RunAsUser, AssignedUser: cfg.AssignedUser, EnvFiles: cfg.EnvFiles,
	}.Template()
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

// script runs in the stock container. If the project is known, $SECRET_VERSION is a full
// resource name and $SECRET_NAME is empty.
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

// Mount returns an init container that fetches the secret. It returns
// secret.ErrUnsupported for a group that is not a valid name, for an invalid version,
// for a form that the Fetcher does not write, and for a Pod for Windows (the images are
// for Linux). The context is not used.
func (m *Manager) Mount(_ context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	name := req.Group
	if m.project != "" && secretName.MatchString(name) {
		name = "projects/" + m.project + "/secrets/" + name
	}
	full := fullName.MatchString(name)
	switch {
	case !full && !secretName.MatchString(name):
		return fetch.Unsupported("group is neither the name of a secret nor projects/P/secrets/S")
	case req.GroupVersion != "" && !version.MatchString(req.GroupVersion):
		return fetch.Unsupported("version is not a valid version of a Google secret")
	case req.Mount == mount.EnvVar && !m.envFiles:
		return fetch.Unsupported("Google secrets are served as files only, unless EnvFiles is set")
	case target.OS() == string(corev1.Windows):
		return fetch.Unsupported("Google secrets cannot be fetched in a Pod for Windows")
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
