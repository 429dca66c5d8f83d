package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/azurekv"
	"github.com/podsecrets/podsecrets/csi"
	"github.com/podsecrets/podsecrets/examples/webhook/internal/flyte"
	"github.com/podsecrets/podsecrets/gcpsm"
	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

// stores are the managers' sections. Their fields are those of each package's
// Config, with the defaults written out.
type stores struct {
	Global *globalConfig `yaml:"global,omitempty"`
	K8s    *k8sConfig    `yaml:"k8s,omitempty"`
	Vault  *vaultConfig  `yaml:"vault,omitempty"`
	AWS    *awsConfig    `yaml:"aws,omitempty"`
	GCP    *gcpConfig    `yaml:"gcp,omitempty"`
	Azure  *azureConfig  `yaml:"azure,omitempty"`
	CSI    *csiConfig    `yaml:"csi,omitempty"`
	// Embedded is Flyte 2's embedded secret manager.
	Embedded *embeddedConfig `yaml:"embedded,omitempty"`
}

// defaultStores returns a section for each manager.
func defaultStores() stores {
	return stores{
		Global: &globalConfig{EnvPrefix: "FLYTE_SECRET_", Dir: "/etc/secrets"},
		K8s:    &k8sConfig{Any: "ANY", DefaultMode: 0o644},
		Vault:  &vaultConfig{Flavor: "Vault", Role: "flyte", KVVersion: "2"},
		AWS:    &awsConfig{fetching: fetching{Fetcher: "Stock"}},
		GCP:    &gcpConfig{fetching: fetching{Fetcher: "Stock"}},
		Azure:  &azureConfig{fetching: fetching{Fetcher: "Stock"}},
		CSI:    &csiConfig{Driver: "secrets-store.csi.k8s.io"},

		Embedded: defaultEmbedded(),
	}
}

type globalConfig struct {
	EnvPrefix string `yaml:"envPrefix"`
	Dir       string `yaml:"dir"`
	// Allow lists the secrets that Pods may read. Nil lets every Pod read every
	// global secret.
	Allow []allowance `yaml:"allow,omitempty"`
}

// allowance lets Pods in the namespaces read one secret. Group and key match
// exactly, because ("team", "a_token") and ("team_a", "token") are the same
// variable.
type allowance struct {
	Namespaces []string `yaml:"namespaces"`
	Group      string   `yaml:"group"`
	Key        string   `yaml:"key"`
}

// check rejects an empty list, which could mean everything or nothing.
func (g *globalConfig) check(c *checker) {
	c.require(len(g.Allow) > 0 || g.Allow == nil && !c.has("global", "allow"), "must not be empty: leave it out to let every Pod read every global secret", "global", "allow")
	for i, a := range g.Allow {
		c.require(len(a.Namespaces) > 0 && a.Group+a.Key != "", "needs namespaces, and group or key", "global", "allow", fmt.Sprint(i))
	}
}

func (g *globalConfig) manager() (injector.SecretManager, error) {
	return global.New(global.Config{EnvPrefix: g.EnvPrefix, Dir: g.Dir, Allow: g.allow()})
}

// allow returns the list as a function, or nil if there is no list.
func (g *globalConfig) allow() func(secret.Request, mount.Target) bool {
	if g.Allow == nil {
		return nil
	}
	return func(req secret.Request, target mount.Target) bool {
		return slices.ContainsFunc(g.Allow, func(a allowance) bool {
			return a.Group == req.Group && a.Key == req.Key && slices.Contains(a.Namespaces, target.Namespace())
		})
	}
}

type k8sConfig struct {
	Any         string `yaml:"any"`
	Required    bool   `yaml:"required"`
	DefaultMode int32  `yaml:"defaultMode"`
	// FlyteScope names Secrets as Flyte 2 does.
	FlyteScope *flyteScope `yaml:"flyteScope,omitempty"`
	// HashedKeys serves requests without a group from the Secret named by the MD5
	// sum of the key, as Flyte 2 does.
	HashedKeys bool `yaml:"hashedKeys,omitempty"`
}

// flyteScope is a scope of Flyte 2. An empty field is taken from the Pod's label;
// "*" means all.
type flyteScope struct {
	Organization string `yaml:"organization"`
	Domain       string `yaml:"domain"`
	Project      string `yaml:"project"`
}

func (k *k8sConfig) manager() (injector.SecretManager, error) {
	choice, err := mount.ParseType(k.Any)
	if err != nil {
		return nil, fmt.Errorf("k8s: any %q is not one of ANY, ENV_VAR, FILE", k.Any)
	}
	cfg := k8ssecret.Config{Any: choice, Required: k.Required, DefaultMode: &k.DefaultMode}
	if s := k.FlyteScope; s != nil {
		cfg.Names = k8ssecret.FlyteScope(s.Organization, s.Domain, s.Project)
	} else if k.HashedKeys {
		cfg.Names = flyte.HashedKeys
	}
	return k8ssecret.New(cfg)
}

type vaultConfig struct {
	Flavor      string            `yaml:"flavor"`
	Role        string            `yaml:"role"`
	KVVersion   string            `yaml:"kvVersion"`
	Mounts      []string          `yaml:"mounts,omitempty"`
	EnvFiles    bool              `yaml:"envFiles"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
	Locked      []string          `yaml:"locked,omitempty"`
}

func (v *vaultConfig) manager() (injector.SecretManager, error) {
	flavor, err := oneOf("vault: flavor", v.Flavor, vault.Vault, vault.OpenBao)
	if err != nil {
		return nil, err
	}
	return vault.New(vault.Config{
		Flavor: flavor, Role: v.Role, KVVersion: v.KVVersion, Mounts: v.Mounts, EnvFiles: v.EnvFiles,
		Annotations: v.Annotations, Locked: v.Locked,
	})
}

type awsConfig struct {
	fetching `yaml:",inline"`
	Region   string `yaml:"region,omitempty"`
}

func (a *awsConfig) manager() (injector.SecretManager, error) {
	fetcher, resources, err := settings(&a.fetching, awssm.Stock, awssm.Fetch)
	if err != nil {
		return nil, err
	}
	return awssm.New(awssm.Config{
		Fetcher: fetcher, Image: a.Image, ImagePullSecrets: references(a.ImagePullSecrets), Resources: resources,
		RunAsUser: a.RunAsUser, AssignedUser: a.AssignedUser, Region: a.Region, EnvFiles: a.EnvFiles,
	})
}

type gcpConfig struct {
	fetching `yaml:",inline"`
	Project  string `yaml:"project,omitempty"`
	// FlyteNames names files as Flyte does, and leaves requests without a version to
	// the next manager, as Flyte does.
	FlyteNames bool `yaml:"flyteNames,omitempty"`
}

func (g *gcpConfig) manager() (injector.SecretManager, error) {
	fetcher, resources, err := settings(&g.fetching, gcpsm.Stock, gcpsm.Fetch)
	if err != nil {
		return nil, err
	}
	m, err := gcpsm.New(gcpsm.Config{
		Fetcher: fetcher, Image: g.Image, ImagePullSecrets: references(g.ImagePullSecrets), Resources: resources,
		RunAsUser: g.RunAsUser, AssignedUser: g.AssignedUser, Project: g.Project, EnvFiles: g.EnvFiles,
	})
	if err == nil && g.FlyteNames {
		return flyte.GCPManager{SecretManager: m}, nil
	}
	return m, err
}

type azureConfig struct {
	fetching `yaml:",inline"`
	Vault    string   `yaml:"vault,omitempty"`
	Vaults   []string `yaml:"vaults,omitempty"`
}

func (a *azureConfig) manager() (injector.SecretManager, error) {
	fetcher, resources, err := settings(&a.fetching, azurekv.Stock, azurekv.Fetch)
	if err != nil {
		return nil, err
	}
	return azurekv.New(azurekv.Config{
		Fetcher: fetcher, Image: a.Image, ImagePullSecrets: references(a.ImagePullSecrets), Resources: resources,
		RunAsUser: a.RunAsUser, AssignedUser: a.AssignedUser, Vault: a.Vault, Vaults: a.Vaults, EnvFiles: a.EnvFiles,
	})
}

type csiConfig struct {
	Driver string `yaml:"driver"`
}

func (s *csiConfig) manager() (injector.SecretManager, error) {
	return csi.New(csi.Config{Driver: s.Driver})
}

// fetching has the common settings of managers with fetchers.
type fetching struct {
	// Fetcher is Stock or Fetch.
	Fetcher          string     `yaml:"fetcher"`
	Image            string     `yaml:"image"`
	ImagePullSecrets []string   `yaml:"imagePullSecrets,omitempty"`
	Resources        *resources `yaml:"resources"`
	// RunAsUser is 65532 by default, and unset with AssignedUser.
	RunAsUser    *int64 `yaml:"runAsUser,omitempty"`
	AssignedUser bool   `yaml:"assignedUser"`
	EnvFiles     bool   `yaml:"envFiles"`
}

// complete sets the defaults that depend on the fetcher. Resources in the file
// replace all default ones.
func (f *fetching) complete(stockImage string) {
	if f.Fetcher == "Stock" {
		f.Image = cmp.Or(f.Image, stockImage)
		f.Resources = cmp.Or(f.Resources, equal(map[string]string{"cpu": "200m", "memory": "500Mi"}))
	}
	f.Resources = cmp.Or(f.Resources, equal(map[string]string{"cpu": "100m", "memory": "64Mi"}))
	if f.RunAsUser == nil && !f.AssignedUser {
		f.RunAsUser = new(int64)
		*f.RunAsUser = 65532
	}
}

// settings returns the fetcher and the resources in the library's types.
func settings[F fmt.Stringer](f *fetching, stock, fetch F) (F, *corev1.ResourceRequirements, error) {
	fetcher, err := oneOf(": fetcher", f.Fetcher, stock, fetch)
	if err != nil {
		return fetcher, nil, err
	}
	requests, err1 := resourceList("requests", f.Resources.Requests)
	limits, err2 := resourceList("limits", f.Resources.Limits)
	return fetcher, &corev1.ResourceRequirements{Requests: requests, Limits: limits}, errors.Join(err1, err2)
}

// oneOf returns the value with the name.
func oneOf[T fmt.Stringer](field, name string, values ...T) (zero T, err error) {
	var all []string
	for _, v := range values {
		if v.String() == name {
			return v, nil
		}
		all = append(all, v.String())
	}
	return zero, fmt.Errorf("%s %q must be %s or %s", field, name, all[0], all[1])
}

// resources has quantities by resource name, as a container has.
type resources struct {
	Requests map[string]string `yaml:"requests,omitempty"`
	Limits   map[string]string `yaml:"limits,omitempty"`
}

func equal(list map[string]string) *resources {
	return &resources{Requests: list, Limits: maps.Clone(list)}
}

func resourceList(kind string, quantities map[string]string) (corev1.ResourceList, error) {
	list := corev1.ResourceList{}
	for _, name := range slices.Sorted(maps.Keys(quantities)) {
		q, err := resource.ParseQuantity(quantities[name])
		if err != nil {
			return nil, fmt.Errorf(": resources %s.%s: %q is not a quantity", kind, name, quantities[name])
		}
		list[corev1.ResourceName(name)] = q
	}
	return list, nil
}

func references(names []string) (made []corev1.LocalObjectReference) {
	for _, name := range names {
		made = append(made, corev1.LocalObjectReference{Name: name})
	}
	return made
}
