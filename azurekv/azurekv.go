// Package azurekv serves secrets from Azure Key Vault. An init container fetches them
// into a volume in memory, from which the Pod's own containers read them.
//
//	m, err := azurekv.New(azurekv.Config{
//		Fetcher: azurekv.Fetch, Image: "registry.example.com/fetch:v1",
//		Vault:   "https://team.vault.azure.net",
//	})
//	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
//
// A request's group is the secret's name in [Config.Vault], or the secret's URL in a
// vault that Config.Vault or [Config.Vaults] lists. The init container sends tokens to
// no other vault. The request's version is the secret's version; empty means the
// current one. The key is only a part of the derived names.
//
//	secret.Request{Group: "db-password"}
//	secret.Request{Group: "https://team.vault.azure.net/secrets/db-password"}
//
// Flyte's webhook writes a secret requested by URL to the file NAME or NAME/VERSION, in
// lower case. If the request is served as a file, this package writes that file too, in
// addition to the derived file. Two secrets of the same name in different vaults then
// conflict. Requests with exact names (secret.Request.Path, mount.Layout.Exact) do not
// get that file.
//
// [Config.Fetcher] chooses the program that fetches:
//
//   - [Stock] is what Flyte's webhook uses: the Azure CLI's image, in one container per
//     secret. It serves files, without Field and Mode. The request reaches the
//     container in variables, never in the text of a shell command. The container fails
//     if it cannot fetch the secret.
//   - [Fetch] is the program of examples/fetch in an image that you build. One
//     container fetches all secrets, as files and, with [Config.EnvFiles], as
//     variables.
//
// The package never contacts Azure and needs no rights there. The init container logs
// in as the Pod's service account, with Azure Workload Identity. Workload Identity's
// own webhook adds AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE to
// containers, so it must run after this library's webhook. The identity needs the role
// "Key Vault Secrets User". Anyone who can create such a Pod can read what the
// identity's rights allow.
//
// A Pod does not start if its secret is missing or the vault denies access. A running
// Pod does not see later changes of the secret.
//
// Facts about Flyte (image, login, file names) are from its source, v2.0.43. The name
// formats are from
// https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates.
package azurekv

import (
	"context"
	"fmt"
	"net/url"
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
	// Stock, the zero value, is the Azure CLI's image: one container per secret, files
	// only.
	Stock Fetcher = iota
	// Fetch is the program of examples/fetch: one container for all secrets,
	// files and variables, fields and modes.
	Fetch
)

// String returns "Stock", "Fetch", or "Fetcher(7)" for an undefined value.
func (f Fetcher) String() string { return fetch.FetcherString(uint8(f)) }

// Config configures a Manager. Vault or Vaults must be set.
type Config struct {
	// Fetcher is the program that fetches. The zero value is Stock.
	Fetcher Fetcher
	// Image is the program's image, required with Fetch. With Stock, empty means
	// "mcr.microsoft.com/azure-cli:cbl-mariner2.0", as in Flyte's webhook.
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
	// Vault is the vault of secrets requested by name, such as
	// "https://team.vault.azure.net". Empty means that requests need a URL.
	Vault string
	// Vaults are further vaults whose secrets may be requested by URL.
	Vaults []string
	// EnvFiles also serves variables, through env files. It requires Fetch, and
	// Kubernetes 1.35 or later on all nodes.
	EnvFiles bool
}

// Manager is the injector.SecretManager of Azure Key Vault. It is immutable and
// safe for concurrent use.
type Manager struct {
	vault       string // without a trailing slash, or ""
	vaults      []string
	envFiles    bool
	stock       *fetch.Stock      // with Stock, otherwise nil
	container   *corev1.Container // with Fetch, otherwise nil
	pullSecrets []corev1.LocalObjectReference
}

// New returns a Manager, or an error that names the invalid field of cfg.
func New(cfg Config) (*Manager, error) {
	m := &Manager{envFiles: cfg.EnvFiles, pullSecrets: slices.Clone(cfg.ImagePullSecrets)}
	if err := m.setVaults(cfg); err != nil {
		return nil, err
	}
	template, err := fetch.Options{
		Package: "azurekv", Fetcher: uint8(cfg.Fetcher), Image: cfg.Image, StockImage: "mcr.microsoft.com/azure-cli:cbl-mariner2.0",
		Resources: cfg.Resources, RunAsUser: cfg.RunAsUser, AssignedUser: cfg.AssignedUser, EnvFiles: cfg.EnvFiles,
	}.Template()
	if err != nil {
		return nil, err
	}
	if cfg.Fetcher == Fetch {
		m.container = fetch.Container(fetch.Azure, template)
	} else {
		m.stock = fetch.NewStock(m.Name(), template, m.pullSecrets, script, "AZURE_CONFIG_DIR")
	}
	return m, nil
}

func (m *Manager) setVaults(cfg Config) error {
	all := slices.Clone(cfg.Vaults)
	if cfg.Vault != "" {
		all = append(all, cfg.Vault)
	}
	for i, v := range all {
		field := "Vaults"
		if i == len(cfg.Vaults) {
			field = "Vault"
		}
		all[i] = strings.ToLower(strings.TrimSuffix(v, "/"))
		if !vaultURL.MatchString(all[i]) {
			return fmt.Errorf(`azurekv: %s: %q is not the URL of a vault, such as "https://team.vault.azure.net"`, field, v)
		}
	}
	if len(all) == 0 {
		return fmt.Errorf("azurekv: neither Vault nor Vaults is set")
	}
	m.vaults = all
	if cfg.Vault != "" {
		m.vault = all[len(all)-1]
	}
	return nil
}

// script runs in the stock container. The CLI refuses to overwrite a file.
var script = `az login --service-principal --username "$AZURE_CLIENT_ID" --tenant "$AZURE_TENANT_ID" --federated-token "$(cat "$AZURE_FEDERATED_TOKEN_FILE")" --allow-no-subscriptions --output none
` + fetch.WriteFile(`az keyvault secret download --id "$SECRET_URL" --file "$new" --encoding utf-8 --output none`) + `
if [ -n "$SECRET_COPY" ]; then
mkdir -p "${SECRET_COPY%/*}"
cp "$SECRET_FILE" "$SECRET_COPY.new"
mv -f "$SECRET_COPY.new" "$SECRET_COPY"
fi`

// Name returns "azure".
func (m *Manager) Name() string { return "azure" }

var (
	vaultURL   = regexp.MustCompile(`^https://[a-z0-9-]+(\.[a-z0-9-]+)+$`)
	secretName = regexp.MustCompile(`^[0-9A-Za-z-]{1,127}$`)
	version    = regexp.MustCompile(`^[0-9A-Za-z]{1,64}$`)
)

// ref names a secret in a vault.
type ref struct{ vault, name string }

func (r ref) url() string { return r.vault + "/secrets/" + r.name }

// ref returns the secret that a group names. byURL reports whether the group is a URL,
// the form that Flyte's webhook serves.
func (m *Manager) ref(group string) (r ref, byURL bool, err error) {
	if secretName.MatchString(group) && m.vault != "" {
		return ref{m.vault, group}, false, nil
	}
	u, err := url.Parse(group)
	if err != nil || u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return ref{}, false, fmt.Errorf("%w: group is neither a secret's name nor its URL", secret.ErrUnsupported)
	}
	vault := "https://" + strings.ToLower(u.Host)
	if !slices.Contains(m.vaults, vault) {
		return ref{}, false, fmt.Errorf("%w: the configuration does not list the URL's vault", secret.ErrUnsupported)
	}
	name, ok := strings.CutPrefix(u.EscapedPath(), "/secrets/")
	if !ok || !secretName.MatchString(name) {
		return ref{}, false, fmt.Errorf("%w: group is not a secret's URL (https://VAULT/secrets/NAME)", secret.ErrUnsupported)
	}
	return ref{vault, name}, true, nil
}

// Mount returns an init container that fetches the secret. It returns
// secret.ErrUnsupported for a group that is neither a secret's name nor its URL in a
// listed vault, for an invalid version, for a form that the Fetcher does not write, and
// for a Pod for Windows (the images are for Linux). The context is not used.
func (m *Manager) Mount(_ context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	r, byURL, err := m.ref(req.Group)
	switch {
	case err != nil:
		return mount.Fragment{}, err
	case req.GroupVersion != "" && !version.MatchString(req.GroupVersion):
		return fetch.Unsupported("version is not a valid version of an Azure secret")
	case req.Mount == mount.EnvVar && !m.envFiles:
		return fetch.Unsupported("Azure secrets are served as files only, unless EnvFiles is set")
	case target.OS() == string(corev1.Windows):
		return fetch.Unsupported("Azure secrets cannot be fetched in a Pod for Windows")
	}
	layout := target.Layout()
	req.Mount = fetch.Form(req, layout, req.GroupVersion, m.envFiles)
	copied := ""
	if byURL && req.Path == "" && !layout.Exact {
		copied = flyteFile(r.name, req.GroupVersion)
	}
	f := m.fragment(req, layout, r, copied)
	f.Versioned = req.GroupVersion != ""
	f.Reads.Name = strings.ToLower(r.url())
	return f, nil
}

// flyteFile returns the path, relative to Layout.Dir, that Flyte's webhook uses.
func flyteFile(name, version string) string {
	file := strings.ToLower(name)
	if version != "" {
		file += "/" + strings.ToLower(version)
	}
	return file
}

func (m *Manager) fragment(req secret.Request, layout mount.Layout, r ref, copied string) mount.Fragment {
	item := fetch.Item{ID: r.url(), Version: req.GroupVersion}
	if m.stock == nil {
		if copied == "" {
			return fetch.Fragment(m.container, m.pullSecrets, req, layout, req.GroupVersion, item)
		}
		other := item
		other.File = copied
		return fetch.Fragment(m.container, m.pullSecrets, req, layout, req.GroupVersion, item, other)
	}
	id, file := r.url(), req.RelPath(layout, req.GroupVersion)
	if req.GroupVersion != "" {
		id += "/" + req.GroupVersion
	}
	if copied == "" || copied == file {
		return m.stock.Fragment(file, []string{id, file}, "SECRET_URL", id, "SECRET_COPY", "")
	}
	// Named after Flyte's file, so that two secrets of one name conflict.
	return m.stock.Fragment(file, []string{"copy", copied}, "SECRET_URL", id, "SECRET_COPY", fetch.FilesDir+"/"+copied)
}
