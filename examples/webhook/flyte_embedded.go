package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/podsecrets/podsecrets/examples/webhook/internal/flyte"
	"github.com/podsecrets/podsecrets/injector"
)

// embeddedConfig is the section of the manager of Flyte 2's embedded secrets.
type embeddedConfig struct {
	// Store is K8s, AWS, GCP or Azure, with the settings of that name.
	Store string `yaml:"store"`
	// Organization, Domain and Project, if set, take the place of the Pod's labels,
	// which are the word of the Pod's author.
	Organization string `yaml:"organization"`
	Domain       string `yaml:"domain"`
	Project      string `yaml:"project"`
	// Reach is for what secrets are kept: Project, Domain or Organization.
	// DomainKeys and OrganizationKeys are keys for which it is another.
	Reach            string   `yaml:"reach"`
	DomainKeys       []string `yaml:"domainKeys,omitempty"`
	OrganizationKeys []string `yaml:"organizationKeys,omitempty"`
	// Keys are all that are served. Without it, every key is.
	Keys []string `yaml:"keys,omitempty"`

	K8s   *k8sConfig   `yaml:"k8s,omitempty"`
	AWS   *awsConfig   `yaml:"aws,omitempty"`
	GCP   *gcpConfig   `yaml:"gcp,omitempty"`
	Azure *azureConfig `yaml:"azure,omitempty"`
}

// defaultEmbedded requires secrets: Flyte creates no Pod without them.
func defaultEmbedded() *embeddedConfig {
	fetch := fetching{Fetcher: "Fetch"}
	return &embeddedConfig{
		Store: flyte.K8s, Reach: "Project",
		K8s: &k8sConfig{Any: "ANY", Required: true, DefaultMode: 0o644},
		AWS: &awsConfig{fetching: fetch}, GCP: &gcpConfig{fetching: fetch}, Azure: &azureConfig{fetching: fetch},
	}
}

// setFlyte takes over the store and where it is.
func (e *embeddedConfig) setFlyte(from flyte.EmbeddedConfig) {
	e.Store = from.Type
	override(&e.AWS.Region, from.AWS.Region)
	override(&e.GCP.Project, from.GCP.Project)
	override(&e.Azure.Vault, from.Azure.VaultURI)
}

// check drops the settings of other stores, and says what Flyte's configuration
// does not have.
func (e *embeddedConfig) check(c *checker) {
	def := defaultEmbedded()
	section := func(store, name string) bool {
		c.require(store == e.Store || !c.has("embedded", name), "has no effect, as store is "+e.Store, "embedded", name)
		return store == e.Store
	}
	e.K8s = onlyIf(section(flyte.K8s, "k8s"), e.K8s, def.K8s)
	e.AWS = onlyIf(section(flyte.AWS, "aws"), e.AWS, def.AWS)
	e.GCP = onlyIf(section(flyte.GCP, "gcp"), e.GCP, def.GCP)
	e.Azure = onlyIf(section(flyte.Azure, "azure"), e.Azure, def.Azure)
	c.oneOf(e.Store, flyte.Stores, "embedded", "store")
	fetch, name := e.fetching()
	if fetch == nil {
		return
	}
	c.require(fetch.Fetcher == "Fetch", "is not Fetch, which alone can fetch embedded secrets", "embedded", name, "fetcher")
	if !fetch.EnvFiles {
		c.warn("is not set: secrets are files only, and requests for variables are refused; it needs Kubernetes 1.35 on all nodes", "embedded", name, "envFiles")
	}
	fetch.complete("")
}

// onlyIf is set, or else the default; nil unless it is asked for.
func onlyIf[T any](asked bool, set, def *T) *T {
	if !asked {
		return nil
	}
	return cmp.Or(set, def)
}

// fetching returns the settings of the program that fetches, and the section that
// has them; nil for Kubernetes Secrets.
func (e *embeddedConfig) fetching() (*fetching, string) {
	switch {
	case e.AWS != nil:
		return &e.AWS.fetching, "aws"
	case e.GCP != nil:
		return &e.GCP.fetching, "gcp"
	case e.Azure != nil:
		return &e.Azure.fetching, "azure"
	}
	return nil, ""
}

func (e *embeddedConfig) manager() (injector.SecretManager, error) {
	reach, err := flyte.ParseReach(e.Reach)
	if err != nil {
		return nil, fmt.Errorf("embedded: reach %w", err)
	}
	if fetch, name := e.fetching(); fetch != nil && fetch.Image == "" {
		return nil, fmt.Errorf("embedded: image is empty: secrets of %s are fetched in the Pod, by the program of examples/fetch; name its image in embedded.%s.image", e.Store, name)
	}
	var inner injector.SecretManager
	switch e.Store {
	case flyte.K8s:
		inner, err = e.K8s.manager()
	case flyte.AWS:
		inner, err = e.AWS.manager()
	case flyte.GCP:
		inner, err = e.GCP.manager()
	case flyte.Azure:
		inner, err = e.Azure.manager()
	default:
		err = errors.New("embedded: store is unknown")
	}
	if err != nil {
		return nil, err
	}
	return &flyte.EmbeddedManager{Store: e.Store, Inner: inner, Keys: slices.Clone(e.Keys), Scope: flyte.Scope{
		Organization: e.Organization, Domain: e.Domain, Project: e.Project, Reach: reach,
		DomainKeys: e.DomainKeys, OrganizationKeys: e.OrganizationKeys,
	}}, nil
}
