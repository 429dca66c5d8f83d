package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

// The sections of the managers have the fields of the packages' own Config, and
// their defaults written out.
type (
	globalConfig struct {
		EnvPrefix string `yaml:"envPrefix"`
		Dir       string `yaml:"dir"`
		// Allow lists who may ask for what. Without it every Pod may read every
		// global secret.
		Allow []allowance `yaml:"allow,omitempty"`
	}

	// allowance allows Pods of the namespaces one secret. Group and key are
	// exact, because ("team", "a_token") is the same variable as ("team_a",
	// "token").
	allowance struct {
		Namespaces []string `yaml:"namespaces"`
		Group      string   `yaml:"group"`
		Key        string   `yaml:"key"`
	}

	k8sConfig struct {
		Any         string `yaml:"any"`
		Required    bool   `yaml:"required"`
		DefaultMode int32  `yaml:"defaultMode"`
	}

	awsConfig struct {
		Image            string     `yaml:"image"`
		ImagePullSecrets []string   `yaml:"imagePullSecrets,omitempty"`
		Resources        *resources `yaml:"resources"`
		RunAsUser        int64      `yaml:"runAsUser"`
	}

	vaultConfig struct {
		Role        string            `yaml:"role"`
		KVVersion   string            `yaml:"kvVersion"`
		Annotations map[string]string `yaml:"annotations,omitempty"`
		Locked      []string          `yaml:"locked,omitempty"`
	}

	layoutConfig struct {
		Dir        string `yaml:"dir"`
		FilePrefix string `yaml:"filePrefix"`
		EnvPrefix  string `yaml:"envPrefix"`
	}

	// resources are quantities by resource, as in a container.
	resources struct {
		Requests map[string]string `yaml:"requests,omitempty"`
		Limits   map[string]string `yaml:"limits,omitempty"`
	}
)

func defaultGlobal() *globalConfig {
	return &globalConfig{EnvPrefix: "FLYTE_SECRET_", Dir: "/etc/secrets"}
}

func defaultK8s() *k8sConfig { return &k8sConfig{Any: "ANY", DefaultMode: 0o644} }

func defaultVault() *vaultConfig { return &vaultConfig{Role: "flyte", KVVersion: "2"} }

// defaultAWS has no resources, as what a file says of them takes their place
// and is not mixed with them.
func defaultAWS() *awsConfig {
	return &awsConfig{
		Image:     "docker.io/amazon/aws-secrets-manager-secret-sidecar:v0.1.4",
		RunAsUser: 65532,
	}
}

func defaultResources() *resources {
	list := map[string]string{"cpu": "200m", "memory": "500Mi"}
	return &resources{Requests: list, Limits: maps.Clone(list)}
}

func defaultLayout() layoutConfig {
	l := mount.Layout{}.WithDefaults()
	return layoutConfig{Dir: l.Dir, FilePrefix: l.FilePrefix, EnvPrefix: l.EnvPrefix}
}

func (l layoutConfig) layout() mount.Layout {
	return mount.Layout{Dir: l.Dir, FilePrefix: l.FilePrefix, EnvPrefix: l.EnvPrefix}
}

// makers makes each manager that a file can name.
var makers = map[string]func(*config) (injector.SecretManager, error){
	"global": func(cfg *config) (injector.SecretManager, error) {
		return global.New(global.Config{EnvPrefix: cfg.Global.EnvPrefix, Dir: cfg.Global.Dir, Allow: cfg.Global.allow()})
	},
	"k8s": func(cfg *config) (injector.SecretManager, error) {
		choice, err := mount.ParseType(cfg.K8s.Any)
		if err != nil {
			return nil, fmt.Errorf("k8s: any %q is none of ANY, ENV_VAR, FILE", cfg.K8s.Any)
		}
		return k8ssecret.New(k8ssecret.Config{Any: choice, Required: cfg.K8s.Required, DefaultMode: &cfg.K8s.DefaultMode})
	},
	"aws": func(cfg *config) (injector.SecretManager, error) {
		requests, err1 := resourceList("requests", cfg.AWS.Resources.Requests)
		limits, err2 := resourceList("limits", cfg.AWS.Resources.Limits)
		if err := cmp.Or(err1, err2); err != nil {
			return nil, err
		}
		return awssm.New(awssm.Config{
			Image:            cfg.AWS.Image,
			ImagePullSecrets: references(cfg.AWS.ImagePullSecrets),
			Resources:        &corev1.ResourceRequirements{Requests: requests, Limits: limits},
			RunAsUser:        &cfg.AWS.RunAsUser,
		})
	},
	"vault": func(cfg *config) (injector.SecretManager, error) {
		return vault.New(vault.Config(*cfg.Vault))
	},
}

// checkManagers makes everything once, to find what cannot be made.
func (cfg *config) checkManagers(c *checker) {
	section(c, cfg.Managers, "global", &cfg.Global, defaultGlobal())
	section(c, cfg.Managers, "k8s", &cfg.K8s, defaultK8s())
	section(c, cfg.Managers, "aws", &cfg.AWS, defaultAWS())
	section(c, cfg.Managers, "vault", &cfg.Vault, defaultVault())
	if cfg.AWS != nil {
		cfg.AWS.Resources = cmp.Or(cfg.AWS.Resources, defaultResources())
	}
	if cfg.Global != nil {
		cfg.Global.check(c)
	}
	c.require(len(cfg.Managers) > 0, "has none", "managers")
	for i, name := range cfg.Managers {
		at := []string{"managers", strconv.Itoa(i)}
		c.oneOf(name, names(makers), at...)
		c.require(!slices.Contains(cfg.Managers[:i], name), fmt.Sprintf("%q is there twice", name), at...)
		if newManager, ok := makers[name]; ok {
			_, err := newManager(cfg)
			c.reportField(err, name)
		}
	}
	c.reportField(cfg.Layout.layout().Validate(), "layout")
}

// section drops that of a manager which is not asked for, and gives one to a
// manager that has none.
func section[T any](c *checker, managers []string, name string, set **T, def *T) {
	if !slices.Contains(managers, name) {
		c.require(!c.has(name), "has no effect, as it is not among managers", name)
		*set = nil
		return
	}
	*set = cmp.Or(*set, def)
}

// check refuses an empty list, which might be meant for everybody or for nobody.
func (g *globalConfig) check(c *checker) {
	c.require(len(g.Allow) > 0 || g.Allow == nil && !c.has("global", "allow"), "is empty; without it, everybody may read every global secret", "global", "allow")
	for i, a := range g.Allow {
		c.require(len(a.Namespaces) > 0 && a.Group+a.Key != "", "needs namespaces, and group or key", "global", "allow", strconv.Itoa(i))
	}
}

// injector makes what a checked configuration says, with each manager behind
// wrap.
func (cfg *config) injector(wrap func(injector.SecretManager) injector.SecretManager) (*injector.Injector, error) {
	made := injector.Config{
		Layout:     cfg.Layout.layout(),
		Containers: func(c mount.Container) bool { return !slices.Contains(cfg.ExcludeContainers, c.Name) },
		InitOrder:  cfg.InitOrder.InitOrder,
		OnConflict: cfg.OnConflict.ConflictPolicy,
	}
	for _, name := range cfg.Managers {
		m, err := makers[name](cfg)
		if err != nil {
			return nil, err
		}
		made.Managers = append(made.Managers, wrap(m))
	}
	return injector.New(made)
}

// allow is what the list means; nil, if there is none.
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

func resourceList(kind string, quantities map[string]string) (corev1.ResourceList, error) {
	list := corev1.ResourceList{}
	for _, name := range slices.Sorted(maps.Keys(quantities)) {
		q, err := resource.ParseQuantity(quantities[name])
		if err != nil {
			return nil, fmt.Errorf("aws: resources has %q for %s.%s, which is no quantity", quantities[name], kind, name)
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

func names[T any](table map[string]T) []string { return slices.Sorted(maps.Keys(table)) }
