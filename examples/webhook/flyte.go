package main

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/podsecrets/podsecrets/mount"
)

// flyteWebhook is the section "webhook" of Flyte's configuration, as far as it
// has a meaning here (flytepropeller/pkg/webhook/config, Config).
type flyteWebhook struct {
	SecretManagerType  string      `yaml:"secretManagerType"`
	SecretManagerTypes []string    `yaml:"secretManagerTypes"`
	SecretEnvVarPrefix string      `yaml:"secretEnvVarPrefix"`
	Vault              *flyteVault `yaml:"vaultSecretManager"`
	AWS                *flyteAWS   `yaml:"awsSecretManager"`

	Rest map[string]yaml.Node `yaml:",inline"`
}

type flyteVault struct {
	Role        string            `yaml:"role"`
	KVVersion   string            `yaml:"kvVersion"`
	Annotations map[string]string `yaml:"annotations"`
}

type flyteAWS struct {
	SidecarImage string     `yaml:"sidecarImage"`
	Resources    *resources `yaml:"resources"`
}

// flyteSecrets is the section "secrets" (.../nodes/task/secretmanager, Config):
// where Flyte's webhook finds global secrets.
type flyteSecrets struct {
	SecretsPrefix string `yaml:"secrets-prefix"`
	EnvPrefix     string `yaml:"env-prefix"`

	Rest map[string]yaml.Node `yaml:",inline"`
}

// flyteTypes are the managers here by the names of Flyte's SecretManagerType.
// The empty ones have no counterpart.
var flyteTypes = map[string]string{
	"Global": "global", "K8s": "k8s", "AWS": "aws", "Vault": "vault",
	"GCP": "", "Azure": "", "Embedded": "",
}

// notTaken says of the other settings in Flyte's sections why they have no
// effect here.
var notTaken = map[string]string{
	"certDir":                            "certificates are read from the Secret itself: see certificate",
	"localCert":                          "certificates are read from the Secret itself: see certificate",
	"listenPort":                         "see listen.webhook",
	"serviceName":                        "see service",
	"servicePort":                        "the MutatingWebhookConfiguration says it",
	"secretName":                         "see certificate.secret",
	"webhookTimeout":                     "the MutatingWebhookConfiguration says it",
	"disableCreateMutatingWebhookConfig": "the MutatingWebhookConfiguration is among the manifests, and is never created here",
	"kubeClientConfig":                   "reviews do not call the API server",
	"metrics-prefix":                     "metrics are named podsecrets_*",
	"gcpSecretManager":                   "there is no manager for GCP",
	"azureSecretManager":                 "there is no manager for Azure",
	"embeddedSecretManagerConfig":        "there is no embedded manager",
	"imageBuilderConfig":                 "images are not rewritten",
	"type":                               "global secrets are always local",
}

// convertFlyte makes Flyte's sections the project's own, with Flyte's defaults:
// global secrets first, then Kubernetes Secrets, as files where the request
// leaves the choice.
func (cfg *config) convertFlyte(c *checker) {
	if cfg.Webhook == nil && cfg.Secrets == nil {
		return
	}
	for _, name := range []string{"managers", "global", "k8s", "vault", "aws", "gcp", "azure", "csi", "layout"} {
		c.require(!c.has(name), "cannot stand beside Flyte's sections webhook and secrets", name)
	}
	c.sections = map[string][]string{
		"global": {"secrets"}, "layout": {"webhook", "secretEnvVarPrefix"},
		"aws": {"webhook", "awsSecretManager"}, "vault": {"webhook", "vaultSecretManager"},
	}
	// A section that the file sets to null is gone.
	cfg.stores = defaultStores()
	webhook, secrets := orZero(cfg.Webhook), orZero(cfg.Secrets)
	cfg.Webhook, cfg.Secrets = nil, nil
	c.warnRest("webhook", webhook.Rest)
	c.warnRest("secrets", secrets.Rest)

	cfg.Managers = webhook.managers(c)
	cfg.K8s.Any = mount.File.String()
	override(&cfg.Global.Dir, secrets.SecretsPrefix)
	override(&cfg.Global.EnvPrefix, secrets.EnvPrefix)
	override(&cfg.Layout.EnvPrefix, webhook.SecretEnvVarPrefix)
	if vault := webhook.Vault; vault != nil && c.used(cfg.Managers, "vault", "vaultSecretManager") {
		override(&cfg.Vault.Role, vault.Role)
		override(&cfg.Vault.KVVersion, vault.KVVersion)
		cfg.Vault.Annotations = vault.Annotations
	}
	if aws := webhook.AWS; aws != nil && c.used(cfg.Managers, "aws", "awsSecretManager") {
		override(&cfg.AWS.Image, aws.SidecarImage)
		cfg.AWS.Resources = aws.Resources.over(equal(map[string]string{"cpu": "200m", "memory": "500Mi"}))
	}
}

// managers is Flyte's order: global secrets, then the list, or else the single
// one, or else Kubernetes Secrets.
func (w flyteWebhook) managers(c *checker) []string {
	managers := []string{"global"}
	types, at := w.SecretManagerTypes, "secretManagerTypes"
	if len(types) == 0 {
		types, at = []string{w.SecretManagerType}, "secretManagerType"
	} else if w.SecretManagerType != "" {
		c.warn("secretManagerTypes takes its place", "webhook", "secretManagerType")
	}
	for i, name := range types {
		path := []string{"webhook", at}
		if at == "secretManagerTypes" {
			path = append(path, strconv.Itoa(i))
		}
		if name == "" {
			name = "K8s"
		}
		manager, ok := flyteTypes[name]
		c.oneOf(name, names(flyteTypes), path...)
		// To leave it out would hand its secrets to the next manager.
		c.require(!ok || manager != "", name+" has no counterpart here", path...)
		if manager != "" && !slices.Contains(managers, manager) {
			managers = append(managers, manager)
		}
	}
	return managers
}

// warnRest warns of what has no effect here, and refuses what Flyte does not
// know either.
func (c *checker) warnRest(section string, rest map[string]yaml.Node) {
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		if reason, ok := notTaken[name]; ok {
			c.warn("has no effect: "+reason, section, name)
		} else {
			c.require(false, "unknown field", section, name)
		}
	}
}

// used reports whether a section is that of one of the managers, and warns of
// one that is not.
func (c *checker) used(managers []string, manager, section string) bool {
	if slices.Contains(managers, manager) {
		return true
	}
	c.warn("has no effect: it is not among the secret managers", "webhook", section)
	return false
}

// over puts quantities over the default ones, as Flyte does.
func (r *resources) over(d *resources) *resources {
	if r != nil {
		maps.Copy(d.Requests, r.Requests)
		maps.Copy(d.Limits, r.Limits)
	}
	return d
}

// override takes over what is not empty.
func override(setting *string, value string) { *setting = cmp.Or(value, *setting) }

func orZero[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
