// Package flyte reads the configuration of Flyte's webhook, of its releases 1.16.8
// and 2 (v2.0.43), and has its embedded secret manager.
//
// The keys are those of Flyte's source. They are read as Flyte reads them: their
// letters in any case, later files over earlier ones, and a list in the place of
// an earlier list. What stands in other sections is for other parts of Flyte.
package flyte

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Release is a release of Flyte. It is a flag.Value.
type Release uint8

const (
	// Unknown leaves it to the keys of the configuration.
	Unknown Release = iota
	// One is 1.16.8.
	One
	// Two is v2.0.43.
	Two
)

// String returns "1", "2", or "" for Unknown.
func (r Release) String() string { return [...]string{"", "1", "2"}[min(r, Two)] }

// Set reads "1" or "2".
func (r *Release) Set(text string) error {
	switch text {
	case "1":
		*r = One
	case "2":
		*r = Two
	default:
		return errors.New("is neither 1 nor 2")
	}
	return nil
}

// The values of secretManagerType. 1.16.8 takes the first five and just so, 2
// takes all, in any case.
const (
	Global   = "Global"
	K8s      = "K8s"
	AWS      = "AWS"
	GCP      = "GCP"
	Vault    = "Vault"
	Embedded = "Embedded"
	Azure    = "Azure"
)

var types = []string{Global, K8s, AWS, GCP, Vault, Embedded, Azure}

// Config is the sections webhook and secrets, as far as they have a meaning for
// this project's webhook. Empty means the default of the release.
type Config struct {
	Release Release `yaml:"-"`
	// Managers are the secret managers in their order, of the values of
	// secretManagerType. Global is always the first.
	Managers []string `yaml:"-"`

	Webhook struct {
		Type      string         `yaml:"secretManagerType"`
		Types     []string       `yaml:"secretManagerTypes"`
		EnvPrefix string         `yaml:"secretEnvVarPrefix"`
		AWS       Image          `yaml:"awsSecretManager"`
		GCP       Image          `yaml:"gcpSecretManager"`
		Azure     Image          `yaml:"azureSecretManager"`
		Vault     VaultConfig    `yaml:"vaultSecretManager"`
		Embedded  EmbeddedConfig `yaml:"embeddedSecretManagerConfig"`
		Selector  map[string]any `yaml:"namespaceSelector"`
	} `yaml:"webhook"`
	Secrets struct {
		Dir       string `yaml:"secrets-prefix"`
		EnvPrefix string `yaml:"env-prefix"`
	} `yaml:"secrets"`
}

// Image is the container of a fetching manager.
type Image struct {
	SidecarImage string    `yaml:"sidecarImage"`
	Resources    Resources `yaml:"resources"`
}

// Resources are quantities by resource, as in a container.
type Resources struct {
	Requests map[string]string `yaml:"requests"`
	Limits   map[string]string `yaml:"limits"`
}

// VaultConfig is what Flyte tells Vault's injector.
type VaultConfig struct {
	Role        string            `yaml:"role"`
	KVVersion   string            `yaml:"kvVersion"`
	Annotations map[string]string `yaml:"annotations"`
}

// EmbeddedConfig is the store of the embedded manager, and where it is.
type EmbeddedConfig struct {
	Type string `yaml:"type"`
	AWS  struct {
		Region string `yaml:"region"`
	} `yaml:"awsConfig"`
	GCP struct {
		Project string `yaml:"project"`
	} `yaml:"gcpConfig"`
	Azure struct {
		VaultURI string `yaml:"vaultURI"`
	} `yaml:"azureConfig"`
	K8s struct {
		Namespace string `yaml:"namespace"`
	} `yaml:"k8sConfig"`
}

// Remark is about a setting. One that is no flaw is a warning.
type Remark struct {
	Path []string
	Text string
	Flaw bool
}

// Read reads Flyte's sections off the documents, later ones over earlier ones, and
// makes the spelling of their keys Flyte's own. The error is about a value that is
// not of the setting's type, in a document of that index.
func Read(docs []*yaml.Node, release Release) (*Config, []Remark, error) {
	r := &reader{}
	cfg := &Config{}
	for i, doc := range docs {
		if doc.Kind == 0 {
			continue // an empty one
		}
		r.document(doc)
		if err := doc.Decode(cfg); err != nil {
			return nil, nil, &DocumentError{i, err}
		}
	}
	r.passOver()
	cfg.Release = cmp.Or(release, r.release(cfg))
	if release == Unknown {
		r.warn(fmt.Sprintf("read as that of Flyte %v (%s); the flag -flyte says otherwise", cfg.Release, r.why), r.section()...)
	}
	r.managers(cfg)
	if cfg.Webhook.Selector != nil {
		r.warn("belongs into the webhook's registration: -print-selector writes the patch", "webhook", "namespaceSelector")
	}
	return cfg, r.remarks, nil
}

// DocumentError says in which document a value is wrong.
type DocumentError struct {
	Index int
	Err   error
}

func (e *DocumentError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *DocumentError) Unwrap() error { return e.Err }

// reader collects remarks, and what tells the release.
type reader struct {
	remarks  []Remark
	sections []string // those that are there, by path
	others   []string // those of Flyte's other parts, as they are spelled
	marks    []mark
	why      string
}

// mark is a key that only one release knows.
type mark struct {
	release Release
	name    string
}

func (r *reader) warn(text string, path ...string) {
	r.remarks = append(r.remarks, Remark{path, text, false})
}

func (r *reader) refuse(text string, path ...string) {
	r.remarks = append(r.remarks, Remark{path, text, true})
}

// section is the first of Flyte's sections that matters to a webhook.
func (r *reader) section() []string {
	for _, name := range []string{"webhook", "secrets"} {
		if slices.Contains(r.sections, name) {
			return []string{name}
		}
	}
	return r.others[:min(1, len(r.others))]
}

// release is what the keys say; 1.16.8, if they say nothing.
func (r *reader) release(cfg *Config) Release {
	for i, name := range append([]string{cfg.Webhook.Type}, cfg.Webhook.Types...) {
		key := "secretManagerTypes"
		if i == 0 {
			key = "secretManagerType"
		}
		if canonical, ok := typeOf(name); ok && (canonical != name || !slices.Contains(types[:5], name)) {
			r.why = fmt.Sprintf("%s has %q", key, name)
			return Two
		}
	}
	// A section of another part tells more than a key, as which keys release 1 knows
	// is not sure for each.
	if len(r.marks) > 0 {
		first := slices.MinFunc(r.marks, func(a, b mark) int { return strings.Count(a.name, ".") - strings.Count(b.name, ".") })
		r.why = "it has " + first.name
		return first.release
	}
	r.why = "no key says which"
	return One
}

// typeOf returns Flyte's spelling of a type that is written in any case.
func typeOf(name string) (string, bool) {
	i := slices.IndexFunc(types, func(t string) bool { return strings.EqualFold(t, name) })
	if i < 0 {
		return "", false
	}
	return types[i], true
}

// managers is Flyte's order: global secrets, then the list, or else the single
// one, or else the default of the release.
func (r *reader) managers(cfg *Config) {
	w := cfg.Webhook
	cfg.Managers = []string{Global}
	names, path := w.Types, []string{"webhook", "secretManagerTypes"}
	switch {
	case len(names) > 0 && w.Type != "":
		r.warn("secretManagerTypes takes its place", "webhook", "secretManagerType")
	case len(names) == 0:
		names, path = []string{w.Type}, []string{"webhook", "secretManagerType"}
	}
	for i, name := range names {
		if name == "" {
			name = map[Release]string{One: K8s, Two: Embedded}[cfg.Release]
		}
		at := path
		if len(w.Types) > 0 {
			at = append(slices.Clone(path), fmt.Sprint(i))
		}
		canonical, ok := typeOf(name)
		switch {
		case cfg.Release == One && !slices.Contains(types[:5], name):
			r.refuse(fmt.Sprintf("%q is none of %s, as Flyte 1.16.8 has them", name, strings.Join(types[:5], ", ")), at...)
		case !ok:
			r.refuse(fmt.Sprintf("%q is none of %s", name, strings.Join(types, ", ")), at...)
		case !slices.Contains(cfg.Managers, canonical):
			cfg.Managers = append(cfg.Managers, canonical)
		}
	}
	r.unused(cfg)
	if canonical, ok := storeOf(cfg.Webhook.Embedded.Type); ok {
		cfg.Webhook.Embedded.Type = canonical
	} else {
		r.refuse(fmt.Sprintf("%q is none of %s", cfg.Webhook.Embedded.Type, strings.Join(Stores, ", ")), "webhook", "embeddedSecretManagerConfig", "type")
	}
}

// unused warns of sections of managers that are not asked for.
func (r *reader) unused(cfg *Config) {
	for _, m := range []struct{ manager, section string }{
		{AWS, "awsSecretManager"}, {GCP, "gcpSecretManager"}, {Azure, "azureSecretManager"},
		{Vault, "vaultSecretManager"}, {Embedded, "embeddedSecretManagerConfig"},
	} {
		if !slices.Contains(cfg.Managers, m.manager) && slices.Contains(r.sections, "webhook."+m.section) {
			r.warn("has no effect: "+m.manager+" is not among the secret managers", "webhook", m.section)
		}
	}
}
