package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/podsecrets/podsecrets/examples/webhook/internal/flyte"
	"github.com/podsecrets/podsecrets/injector"
)

// embeddedConfig is the section of Flyte 2's embedded secret manager.
type embeddedConfig struct {
	// Store is K8s, AWS, GCP or Azure. The section of that name has its settings.
	Store string `yaml:"store"`
	// Organization, Domain and Project replace the Pod's labels if set. The Pod's
	// author chooses the labels.
	Organization string `yaml:"organization"`
	Domain       string `yaml:"domain"`
	Project      string `yaml:"project"`
	// Reach is the scope of the secrets: Project, Domain or Organization. DomainKeys
	// and OrganizationKeys are the keys with another scope.
	Reach            string   `yaml:"reach"`
	DomainKeys       []string `yaml:"domainKeys,omitempty"`
	OrganizationKeys []string `yaml:"organizationKeys,omitempty"`
	// Keys are the served keys. Empty serves every key.
	Keys []string `yaml:"keys,omitempty"`

	K8s   *k8sConfig   `yaml:"k8s,omitempty"`
	AWS   *awsConfig   `yaml:"aws,omitempty"`
	GCP   *gcpConfig   `yaml:"gcp,omitempty"`
	Azure *azureConfig `yaml:"azure,omitempty"`
}

// defaultEmbedded requires secrets, as Flyte does.
func defaultEmbedded() *embeddedConfig {
	fetch := fetching{Fetcher: "Fetch"}
	return &embeddedConfig{
		Store: flyte.K8s, Reach: "Project",
		K8s: &k8sConfig{Any: "ANY", Required: true, DefaultMode: 0o644},
		AWS: &awsConfig{fetching: fetch}, GCP: &gcpConfig{fetching: fetch}, Azure: &azureConfig{fetching: fetch},
	}
}

// setFlyte applies the store's settings of Flyte's configuration.
func (e *embeddedConfig) setFlyte(from flyte.EmbeddedConfig) {
	e.Store = from.Type
	override(&e.AWS.Region, from.AWS.Region)
	override(&e.GCP.Project, from.GCP.Project)
	override(&e.Azure.Vault, from.Azure.VaultURI)
}

// check drops the sections of other stores and completes the store's own. It warns
// of settings that Flyte's configuration lacks.
func (e *embeddedConfig) check(c *checker) {
	def := defaultEmbedded()
	section := func(store, name string) bool {
		c.require(store == e.Store || !c.has("embedded", name), "has no effect: store is "+e.Store, "embedded", name)
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
	c.require(fetch.Fetcher == "Fetch", "must be Fetch, the only fetcher of embedded secrets", "embedded", name, "fetcher")
	if !fetch.EnvFiles {
		c.warn("is not set: requests for variables are refused; it needs Kubernetes 1.35 on all nodes", "embedded", name, "envFiles")
	}
	fetch.complete("")
}

// onlyIf returns set or else the default, and nil if the section is not used.
func onlyIf[T any](used bool, set, def *T) *T {
	if !used {
		return nil
	}
	return cmp.Or(set, def)
}

// fetching returns the fetcher's settings and their section, or nil for Kubernetes
// Secrets.
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
		return nil, fmt.Errorf("embedded: image must not be empty: secrets of %s are fetched by the program of examples/fetch; set embedded.%s.image", e.Store, name)
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
