package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
)

type layoutConfig struct {
	Dir        string `yaml:"dir"`
	FilePrefix string `yaml:"filePrefix"`
	EnvPrefix  string `yaml:"envPrefix"`
	Exact      bool   `yaml:"exact"`
}

func defaultLayout() layoutConfig {
	l := mount.Layout{}.WithDefaults()
	return layoutConfig{Dir: l.Dir, FilePrefix: l.FilePrefix, EnvPrefix: l.EnvPrefix}
}

func (l layoutConfig) layout() mount.Layout {
	return mount.Layout{Dir: l.Dir, FilePrefix: l.FilePrefix, EnvPrefix: l.EnvPrefix, Exact: l.Exact}
}

// constructors builds each manager from its section.
var constructors = map[string]func(*stores) (injector.SecretManager, error){
	"global": func(s *stores) (injector.SecretManager, error) { return s.Global.manager() },
	"k8s":    func(s *stores) (injector.SecretManager, error) { return s.K8s.manager() },
	"vault":  func(s *stores) (injector.SecretManager, error) { return s.Vault.manager() },
	"aws":    func(s *stores) (injector.SecretManager, error) { return s.AWS.manager() },
	"gcp":    func(s *stores) (injector.SecretManager, error) { return s.GCP.manager() },
	"azure":  func(s *stores) (injector.SecretManager, error) { return s.Azure.manager() },
	"csi":    func(s *stores) (injector.SecretManager, error) { return s.CSI.manager() },

	"embedded": func(s *stores) (injector.SecretManager, error) { return s.Embedded.manager() },
}

// checkManagers validates the sections by building every manager once. It returns
// the managers' names.
func (cfg *config) checkManagers(c *checker) (built []string) {
	defaults := defaultStores()
	section(c, cfg.Managers, "global", &cfg.Global, defaults.Global)
	section(c, cfg.Managers, "k8s", &cfg.K8s, defaults.K8s)
	section(c, cfg.Managers, "vault", &cfg.Vault, defaults.Vault)
	section(c, cfg.Managers, "aws", &cfg.AWS, defaults.AWS)
	section(c, cfg.Managers, "gcp", &cfg.GCP, defaults.GCP)
	section(c, cfg.Managers, "azure", &cfg.Azure, defaults.Azure)
	section(c, cfg.Managers, "csi", &cfg.CSI, defaults.CSI)
	section(c, cfg.Managers, "embedded", &cfg.Embedded, defaults.Embedded)
	if cfg.Global != nil {
		cfg.Global.check(c)
	}
	if cfg.AWS != nil {
		cfg.AWS.complete("docker.io/amazon/aws-secrets-manager-secret-sidecar:v0.1.4")
	}
	if cfg.GCP != nil {
		cfg.GCP.complete("gcr.io/google.com/cloudsdktool/cloud-sdk:alpine")
	}
	if cfg.Azure != nil {
		cfg.Azure.complete("mcr.microsoft.com/azure-cli:cbl-mariner2.0")
	}
	if cfg.Embedded != nil {
		cfg.Embedded.check(c)
	}
	c.require(len(cfg.Managers) > 0, "must not be empty", "managers")
	for i, name := range cfg.Managers {
		path := []string{"managers", strconv.Itoa(i)}
		c.oneOf(name, names(constructors), path...)
		c.require(!slices.Contains(cfg.Managers[:i], name), fmt.Sprintf("duplicate manager %q", name), path...)
		if newManager, ok := constructors[name]; ok {
			m, err := newManager(&cfg.stores)
			c.reportField(err, name)
			if err == nil {
				built = append(built, m.Name())
			}
		}
	}
	c.reportField(cfg.Layout.layout().Validate(), "layout")
	return built
}

// section drops the section of a manager that is not listed, and sets the default
// one where a listed manager has none.
func section[T any](c *checker, managers []string, name string, set **T, def *T) {
	if !slices.Contains(managers, name) {
		c.require(!c.has(name), fmt.Sprintf("has no effect: managers does not list %q", name), name)
		*set = nil
		return
	}
	*set = cmp.Or(*set, def)
}

// injector builds the Injector of a checked configuration. It wraps each manager,
// and reports each decision of the rules to the observers.
func (cfg *config) injector(wrap func(injector.SecretManager) injector.SecretManager, observers ...func(injector.Access, error)) (*injector.Injector, error) {
	settings := injector.Config{
		Layout:     cfg.Layout.layout(),
		Containers: func(c mount.Container) bool { return !slices.Contains(cfg.ExcludeContainers, c.Name) },
		InitOrder:  cfg.InitOrder.InitOrder,
		OnConflict: cfg.OnConflict.ConflictPolicy,
		Allow:      cfg.allow(observers),
		Late:       cfg.late,
	}
	for _, name := range cfg.Managers {
		m, err := constructors[name](&cfg.stores)
		if err != nil {
			return nil, err
		}
		settings.Managers = append(settings.Managers, wrap(m))
	}
	return injector.New(settings)
}

func names[T any](table map[string]T) []string { return slices.Sorted(maps.Keys(table)) }
