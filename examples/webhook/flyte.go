package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/podsecrets/podsecrets/examples/webhook/internal/flyte"
	"github.com/podsecrets/podsecrets/mount"
)

// flyteManagers maps Flyte's names of managers to this project's.
var flyteManagers = map[string]string{
	flyte.Global: "global", flyte.K8s: "k8s", flyte.AWS: "aws", flyte.GCP: "gcp",
	flyte.Azure: "azure", flyte.Vault: "vault", flyte.Embedded: "embedded",
}

// translateFlyte replaces the settings of cfg by those of Flyte's sections, if there
// are any, and applies the project's own settings on top. Unknown settings are
// errors.
func (cfg *config) translateFlyte(c *checker, release flyte.Release) error {
	others := cfg.Others
	cfg.Others = nil
	names := slices.Sorted(maps.Keys(others))
	isFlyte := slices.ContainsFunc(names, flyte.IsOurs)
	for _, name := range names {
		node := others[name]
		if known := flyte.IsSection(name, &node); !known || !isFlyte {
			c.unknown(name, known, isFlyte)
		}
	}
	if !isFlyte || len(c.flaws) > 0 {
		return c.err()
	}
	var roots []*yaml.Node
	for _, doc := range c.docs {
		roots = append(roots, doc.root)
	}
	from, remarks, err := flyte.Read(roots, release)
	var docErr *flyte.DocumentError
	if errors.As(err, &docErr) {
		return inDocument(c.docs[docErr.Index].name, readable(docErr.Err))
	}
	for _, r := range remarks {
		if r.Flaw {
			c.require(false, r.Text, r.Path...)
		} else {
			c.warn(r.Text, r.Path...)
		}
	}
	if c.require(!c.has("managers"), "must not be set with Flyte's sections, which list the managers", "managers"); len(c.flaws) > 0 {
		return c.err()
	}
	*cfg = *defaults()
	cfg.setFlyte(c, from)
	err = cfg.decode(c.docs) // again: the project's own settings override Flyte's
	cfg.Others = nil
	if slices.Contains(cfg.Managers, "azure") && cfg.Azure != nil && cfg.Azure.Vault == "" && len(cfg.Azure.Vaults) == 0 {
		c.require(false, "must list the vaults that requests may name: tokens are sent to listed vaults only, whereas Flyte sends them to any", "azure", "vaults")
	}
	return errors.Join(err, c.err())
}

// unknown reports an unknown setting.
func (c *checker) unknown(name string, section, isFlyte bool) {
	r := c.at("", []string{name})
	r.text = fmt.Sprintf("unknown setting %q", name)
	switch {
	case section:
		r.text += "; Flyte has this section, but its section webhook is missing"
	case isFlyte:
		r.text += ", and not a known section of Flyte; if it is one, leave it out"
	}
	c.flaws = append(c.flaws, r)
}

// setFlyte applies Flyte's configuration, with the defaults of its release.
func (cfg *config) setFlyte(c *checker, from *flyte.Config) {
	c.sections = map[string][]string{
		"global": {"secrets"}, "namespaceSelector": {"webhook", "namespaceSelector"}, "layout": {"webhook", "secretEnvVarPrefix"},
		"aws": {"webhook", "awsSecretManager"}, "gcp": {"webhook", "gcpSecretManager"},
		"azure": {"webhook", "azureSecretManager"}, "vault": {"webhook", "vaultSecretManager"},
	}
	if !c.has("embedded") {
		c.sections["embedded"] = []string{"webhook", "embeddedSecretManagerConfig"}
	}
	webhook := from.Webhook
	cfg.Managers = nil
	for _, name := range from.Managers {
		cfg.Managers = append(cfg.Managers, flyteManagers[name])
	}
	if !c.has("namespaceSelector") { // decoding merges maps
		cfg.NamespaceSelector = webhook.Selector
	}
	two := from.Release == flyte.Two
	if two {
		cfg.Layout.EnvPrefix = "_UNION_"
	}
	override(&cfg.Layout.EnvPrefix, webhook.EnvPrefix)
	override(&cfg.Global.Dir, from.Secrets.Dir)
	override(&cfg.Global.EnvPrefix, from.Secrets.EnvPrefix)

	// As in Flyte, requests for ANY get files of Kubernetes Secrets, and Google's
	// secrets need a version, which names the file.
	cfg.K8s.Any = mount.File.String()
	cfg.K8s.HashedKeys = two
	cfg.GCP.FlyteNames = true
	setImage(&cfg.AWS.fetching, webhook.AWS)
	setImage(&cfg.GCP.fetching, webhook.GCP)
	setImage(&cfg.Azure.fetching, webhook.Azure)
	override(&cfg.Vault.Role, webhook.Vault.Role)
	override(&cfg.Vault.KVVersion, webhook.Vault.KVVersion)
	cfg.Vault.Annotations = webhook.Vault.Annotations

	cfg.Embedded.setFlyte(webhook.Embedded)
	if uri := webhook.Embedded.Azure.VaultURI; uri != "" {
		cfg.Azure.Vaults = []string{uri}
	}
	cfg.checkOrder(c)
}

// setImage overrides the default image and quantities, as Flyte does.
func setImage(to *fetching, from flyte.Image) {
	override(&to.Image, from.SidecarImage)
	to.Resources = equal(map[string]string{"cpu": "200m", "memory": "500Mi"})
	maps.Copy(to.Resources.Requests, from.Resources.Requests)
	maps.Copy(to.Resources.Limits, from.Resources.Limits)
}

// checkOrder warns of managers behind embedded, which are rarely tried. Flyte tries
// them for every secret that the managers before do not have.
func (cfg *config) checkOrder(c *checker) {
	i := slices.Index(cfg.Managers, "embedded")
	if i < 0 || i == len(cfg.Managers)-1 {
		return
	}
	c.warn(strings.Join(cfg.Managers[i+1:], ", ")+" behind Embedded: tried only for requests without a key or with a key that embedded.keys does not list, because Embedded does not check which secrets exist",
		"webhook", "secretManagerTypes")
}

// override sets a setting unless the value is empty.
func override(setting *string, value string) { *setting = cmp.Or(value, *setting) }
