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

// flyteManagers are the managers here by Flyte's names of its own.
var flyteManagers = map[string]string{
	flyte.Global: "global", flyte.K8s: "k8s", flyte.AWS: "aws", flyte.GCP: "gcp",
	flyte.Azure: "azure", flyte.Vault: "vault", flyte.Embedded: "embedded",
}

// takeOver makes Flyte's sections, if there are any, the settings of cfg, over
// which the documents' own are read again. Other names that are no settings are
// errors.
func (cfg *config) takeOver(c *checker, release flyte.Release) error {
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
	var wrong *flyte.DocumentError
	if errors.As(err, &wrong) {
		return inDocument(c.docs[wrong.Index].name, readable(wrong.Err))
	}
	for _, r := range remarks {
		if r.Flaw {
			c.require(false, r.Text, r.Path...)
		} else {
			c.warn(r.Text, r.Path...)
		}
	}
	if c.require(!c.has("managers"), "cannot stand beside Flyte's sections, which name them", "managers"); len(c.flaws) > 0 {
		return c.err()
	}
	*cfg = *defaults()
	cfg.setFlyte(c, from)
	err = cfg.decode(c.docs) // once more, over that
	cfg.Others = nil
	if slices.Contains(cfg.Managers, "azure") && cfg.Azure != nil && cfg.Azure.Vault == "" && len(cfg.Azure.Vaults) == 0 {
		c.require(false, "is empty: Flyte asks any vault that a request names, and here a token goes to none that is not listed; list them in azure.vaults", "azure", "vaults")
	}
	return errors.Join(err, c.err())
}

// unknown refuses a name that is no setting.
func (c *checker) unknown(name string, section, isFlyte bool) {
	r := c.at("", []string{name})
	r.text = fmt.Sprintf("there is no setting %q", name)
	switch {
	case section:
		r.text += "; Flyte has such a section, but its section webhook is missing"
	case isFlyte:
		r.text += ", nor is that known as a section of Flyte; leave it out if it is one"
	}
	c.flaws = append(c.flaws, r)
}

// setFlyte sets what Flyte's configuration means, with the defaults of its
// release.
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
	if !c.has("namespaceSelector") { // a map, into which another would be merged
		cfg.NamespaceSelector = webhook.Selector
	}
	two := from.Release == flyte.Two
	if two {
		cfg.Layout.EnvPrefix = "_UNION_"
	}
	override(&cfg.Layout.EnvPrefix, webhook.EnvPrefix)
	override(&cfg.Global.Dir, from.Secrets.Dir)
	override(&cfg.Global.EnvPrefix, from.Secrets.EnvPrefix)

	// What Flyte's managers do: with Kubernetes Secrets a file where the request
	// leaves the choice, and Google's secrets only with a version, which names the file.
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

// setImage puts image and quantities over the default ones, as Flyte does.
func setImage(to *fetching, from flyte.Image) {
	override(&to.Image, from.SidecarImage)
	to.Resources = equal(map[string]string{"cpu": "200m", "memory": "500Mi"})
	maps.Copy(to.Resources.Requests, from.Resources.Requests)
	maps.Copy(to.Resources.Limits, from.Resources.Limits)
}

// checkOrder warns of managers that are never asked, where Flyte asks them for
// what the ones before do not have.
func (cfg *config) checkOrder(c *checker) {
	i := slices.Index(cfg.Managers, "embedded")
	if i < 0 || i == len(cfg.Managers)-1 {
		return
	}
	c.warn(strings.Join(cfg.Managers[i+1:], ", ")+" behind Embedded: only what has no key, or a key that embedded.keys leaves out, gets there, as it is not looked up here which secrets there are",
		"webhook", "secretManagerTypes")
}

// override takes over what is not empty.
func override(setting *string, value string) { *setting = cmp.Or(value, *setting) }
