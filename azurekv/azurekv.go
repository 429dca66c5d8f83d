// Package azurekv serves secrets from Azure Key Vault. An init container fetches
// them into a volume in memory, where the Pod's own containers read them.
//
//	m, err := azurekv.New(azurekv.Config{
//		Fetcher: azurekv.Fetch, Image: "registry.example.com/fetch:v1",
//		Vault:   "https://team.vault.azure.net",
//	})
//	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
//
// A request's group is the secret's name in [Config.Vault], or the secret's URL,
// if the configuration lists its vault: no token goes to any other. The version is
// the secret's version; without one it is the current one. A key is only a part of
// the derived names.
//
//	secret.Request{Group: "db-password"}
//	secret.Request{Group: "https://team.vault.azure.net/secrets/db-password"}
//
// Flyte's webhook puts a secret that is asked for by its URL into the file NAME or
// NAME/VERSION, in lower case, and its users open that. So this file is written
// too. Two vaults that have a secret of one name are a conflict then; requests with
// exact names (secret.Request.Path, mount.Layout.Exact) have no such file.
//
// [Config.Fetcher] chooses the program that fetches:
//
//   - [Stock] is what Flyte's webhook uses: the image of the Azure CLI, in a
//     container for each secret. It serves files, without Field and Mode. What is
//     asked for is handed over in variables, never in the text of a shell command.
//     The container exits with an error if the secret cannot be fetched.
//   - [Fetch] is the program of examples/fetch in an image of your own. One
//     container fetches all secrets, as files and, with [Config.EnvFiles], as
//     variables.
//
// The package never talks to Azure and needs no rights there. The init container
// logs in as the Pod's service account, with Azure Workload Identity: with
// AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE, which that
// webhook adds, so it must be called after this library's. The identity needs the
// role "Key Vault Secrets User". Whoever may create such a Pod may read what these
// rights allow.
//
// A Pod whose secret is missing or denied never starts. A secret that changes
// later is fetched by new Pods only.
//
// Flyte's facts (image, login, file names) are from its source, v2.0.43. The forms
// of names are those of
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
	// Stock is the Azure CLI in its own image: a container for each secret, files
	// only. It is the zero value.
	Stock Fetcher = iota
	// Fetch is the program of examples/fetch: one container for all secrets,
	// files and variables, fields and modes.
	Fetch
)

// String returns "Stock" or "Fetch".
func (f Fetcher) String() string { return fetch.FetcherString(uint8(f)) }

// Config is what a Manager is made of. Vault or Vaults must be set.
type Config struct {
	// Fetcher is the program that fetches. The zero value is Stock.
	Fetcher Fetcher
	// Image is the program's image. Empty means
	// "mcr.microsoft.com/azure-cli:cbl-mariner2.0", which Flyte's webhook uses,
	// with Stock; Fetch needs one.
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
	// Vault is the vault of secrets that are asked for by name, such as
	// "https://team.vault.azure.net". Empty means that none can be.
	Vault string
	// Vaults are further vaults from which secrets may be asked for by URL.
	Vaults []string
	// EnvFiles serves variables too, through env files, which need Kubernetes
	// 1.35 on all nodes. Only Fetch can write them.
	EnvFiles bool
}

// Manager is the injector.SecretManager of Azure Key Vault. It is immutable and
// safe for concurrent use.
type Manager struct {
	vault       string // without a slash at its end, or ""
	vaults      []string
	envFiles    bool
	stock       *fetch.Stock      // or else
	container   *corev1.Container // that of Fetch
	pullSecrets []corev1.LocalObjectReference
}

// New returns a Manager, or an error that names the field of cfg that cannot be
// used.
func New(cfg Config) (*Manager, error) {
	m := &Manager{envFiles: cfg.EnvFiles, pullSecrets: slices.Clone(cfg.ImagePullSecrets)}
	if err := m.setVaults(cfg); err != nil {
		return nil, err
	}
	resources := fetch.Resources()
	switch cfg.Fetcher {
	case Stock:
		resources = fetch.StockResources()
		if cfg.Image == "" {
			cfg.Image = "mcr.microsoft.com/azure-cli:cbl-mariner2.0"
		}
		if cfg.EnvFiles {
			return nil, fmt.Errorf("azurekv: EnvFiles need Fetcher Fetch")
		}
	case Fetch:
	default:
		return nil, fmt.Errorf("azurekv: Fetcher %d is not defined", cfg.Fetcher)
	}
	template, err := fetch.Options{
		Package: "azurekv", Image: cfg.Image, Resources: cfg.Resources, RunAsUser: cfg.RunAsUser, AssignedUser: cfg.AssignedUser,
	}.Template(resources)
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

// script is what the stock container runs. The CLI refuses to write to a file
// that is there.
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

// ref is a secret in a vault.
type ref struct{ vault, name string }

func (r ref) url() string { return r.vault + "/secrets/" + r.name }

// ref returns the secret that a group names. byURL: it is one that Flyte's webhook
// serves too.
func (m *Manager) ref(group string) (r ref, byURL bool, err error) {
	if secretName.MatchString(group) && m.vault != "" {
		return ref{m.vault, group}, false, nil
	}
	u, err := url.Parse(group)
	if err != nil || u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return ref{}, false, fmt.Errorf("%w: group is neither the name of a secret nor its URL", secret.ErrUnsupported)
	}
	vault := "https://" + strings.ToLower(u.Host)
	if !slices.Contains(m.vaults, vault) {
		return ref{}, false, fmt.Errorf("%w: the configuration does not list the vault of that URL", secret.ErrUnsupported)
	}
	name, ok := strings.CutPrefix(u.EscapedPath(), "/secrets/")
	if !ok || !secretName.MatchString(name) {
		return ref{}, false, fmt.Errorf("%w: group is not the URL of a secret (https://VAULT/secrets/NAME)", secret.ErrUnsupported)
	}
	return ref{vault, name}, true, nil
}

// Mount answers with an init container that fetches the secret. A group that is
// no secret's name or URL in a vault that the configuration lists, a version that
// none can have, and a form that the Fetcher does not write are
// secret.ErrUnsupported, and so is a Pod for Windows, as the images are for Linux.
// The context is not used.
func (m *Manager) Mount(_ context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	r, byURL, err := m.ref(req.Group)
	switch {
	case err != nil:
		return mount.Fragment{}, err
	case req.GroupVersion != "" && !version.MatchString(req.GroupVersion):
		return unsupported("version is none that a secret of Azure can have")
	case req.Mount == mount.EnvVar && !m.envFiles:
		return unsupported("Azure's secrets are files, unless EnvFiles are configured")
	case target.OS() == string(corev1.Windows):
		return unsupported("Azure's secrets cannot be fetched in a Pod for Windows")
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

// flyteFile is where Flyte's webhook puts a secret, below the directory.
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
		further := item
		further.File = copied
		return fetch.Fragment(m.container, m.pullSecrets, req, layout, req.GroupVersion, item, further)
	}
	id, file := r.url(), req.RelPath(layout, req.GroupVersion)
	if req.GroupVersion != "" {
		id += "/" + req.GroupVersion
	}
	if copied == "" || copied == file {
		return m.stock.Fragment(file, []string{id, file}, "SECRET_URL", id, "SECRET_COPY", "")
	}
	// Named by Flyte's file, so that two secrets of one name are a conflict.
	return m.stock.Fragment(file, []string{"copy", copied}, "SECRET_URL", id, "SECRET_COPY", fetch.FilesDir+"/"+copied)
}

func unsupported(reason string) (mount.Fragment, error) {
	return mount.Fragment{}, fmt.Errorf("%w: %s", secret.ErrUnsupported, reason)
}
