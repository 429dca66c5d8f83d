// Package flyte reads the configuration of Flyte's webhook, releases 1.16.8 and 2
// (v2.0.43), and implements its embedded secret manager.
//
// The keys are those of Flyte's source. They are read as Flyte reads them: keys
// ignore case, later files override earlier ones, and a list replaces an earlier
// list. Other sections belong to other Flyte components.
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
	Unknown Release = iota // detected from the keys of the configuration
	One                    // 1.16.8
	Two                    // v2.0.43
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
		return errors.New("must be 1 or 2")
	}
	return nil
}

// The values of secretManagerType. Release 1.16.8 knows the first five,
// case-sensitive; release 2 knows all, in any case.
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

// Config has the settings of the sections webhook and secrets that this project's
// webhook uses. An empty setting has the release's default.
type Config struct {
	Release Release `yaml:"-"`
	// Managers are values of secretManagerType in order of precedence. Global is
	// always first.
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

// Image is the fetcher's container.
type Image struct {
	SidecarImage string    `yaml:"sidecarImage"`
	Resources    Resources `yaml:"resources"`
}

// Resources has quantities by resource name, as a container has.
type Resources struct {
	Requests map[string]string `yaml:"requests"`
	Limits   map[string]string `yaml:"limits"`
}

// VaultConfig has the settings that Flyte passes to Vault's injector.
type VaultConfig struct {
	Role        string            `yaml:"role"`
	KVVersion   string            `yaml:"kvVersion"`
	Annotations map[string]string `yaml:"annotations"`
}

// EmbeddedConfig is the embedded manager's store and its location.
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

// Remark is an error or a warning about a setting.
type Remark struct {
	Path []string
	Text string
	Flaw bool // false: a warning
}

// Read decodes Flyte's sections of the documents, where later documents override
// earlier ones. It changes the keys in the documents to Flyte's spelling. A value of
// the wrong type is a *DocumentError.
func Read(docs []*yaml.Node, release Release) (*Config, []Remark, error) {
	r := &reader{}
	cfg := &Config{}
	for i, doc := range docs {
		if doc.Kind == 0 {
			continue // empty document
		}
		r.document(doc)
		if err := doc.Decode(cfg); err != nil {
			return nil, nil, &DocumentError{i, err}
		}
	}
	r.warnOthers()
	cfg.Release = cmp.Or(release, r.release(cfg))
	if release == Unknown {
		r.warn(fmt.Sprintf("read as configuration of Flyte %v (%s); the flag -flyte overrides this", cfg.Release, r.reason), r.section()...)
	}
	r.managers(cfg)
	if cfg.Webhook.Selector != nil {
		r.warn("belongs in the webhook's registration: -print-selector writes the patch", "webhook", "namespaceSelector")
	}
	return cfg, r.remarks, nil
}

// DocumentError is a decoding error in the document with the index.
type DocumentError struct {
	Index int
	Err   error
}

func (e *DocumentError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *DocumentError) Unwrap() error { return e.Err }

// reader collects remarks, and clues to the release.
type reader struct {
	remarks  []Remark
	sections []string // paths of the keys found
	others   []string // sections of other Flyte components, as spelled
	clues    []clue
	reason   string // why the release was chosen
}

// clue is a key that only one release knows.
type clue struct {
	release Release
	name    string
}

func (r *reader) warn(text string, path ...string) {
	r.remarks = append(r.remarks, Remark{path, text, false})
}

func (r *reader) refuse(text string, path ...string) {
	r.remarks = append(r.remarks, Remark{path, text, true})
}

// section returns the section for remarks about the whole configuration.
func (r *reader) section() []string {
	for _, name := range []string{"webhook", "secrets"} {
		if slices.Contains(r.sections, name) {
			return []string{name}
		}
	}
	return r.others[:min(1, len(r.others))]
}

// release detects the release from the keys. The default is 1.16.8.
func (r *reader) release(cfg *Config) Release {
	for i, name := range append([]string{cfg.Webhook.Type}, cfg.Webhook.Types...) {
		key := "secretManagerTypes"
		if i == 0 {
			key = "secretManagerType"
		}
		if canonical, ok := typeOf(name); ok && (canonical != name || !slices.Contains(types[:5], name)) {
			r.reason = fmt.Sprintf("%s has %q", key, name)
			return Two
		}
	}
	// Sections come first: release 1's keys are not all known for sure.
	if len(r.clues) > 0 {
		best := slices.MinFunc(r.clues, func(a, b clue) int { return strings.Count(a.name, ".") - strings.Count(b.name, ".") })
		r.reason = "it has " + best.name
		return best.release
	}
	r.reason = "no key tells the release"
	return One
}

// typeOf returns Flyte's spelling of a type, ignoring case.
func typeOf(name string) (string, bool) {
	i := slices.IndexFunc(types, func(t string) bool { return strings.EqualFold(t, name) })
	if i < 0 {
		return "", false
	}
	return types[i], true
}

// managers sets cfg.Managers in Flyte's order: global secrets, then the list, else
// the single manager, else the release's default.
func (r *reader) managers(cfg *Config) {
	w := cfg.Webhook
	cfg.Managers = []string{Global}
	names, path := w.Types, []string{"webhook", "secretManagerTypes"}
	switch {
	case len(names) > 0 && w.Type != "":
		r.warn("has no effect: secretManagerTypes replaces it", "webhook", "secretManagerType")
	case len(names) == 0:
		names, path = []string{w.Type}, []string{"webhook", "secretManagerType"}
	}
	for i, name := range names {
		if name == "" {
			name = map[Release]string{One: K8s, Two: Embedded}[cfg.Release]
		}
		item := path
		if len(w.Types) > 0 {
			item = append(slices.Clone(path), fmt.Sprint(i))
		}
		canonical, ok := typeOf(name)
		switch {
		case cfg.Release == One && !slices.Contains(types[:5], name):
			r.refuse(fmt.Sprintf("%q is not one of %s, the types of Flyte 1.16.8", name, strings.Join(types[:5], ", ")), item...)
		case !ok:
			r.refuse(fmt.Sprintf("%q is not one of %s", name, strings.Join(types, ", ")), item...)
		case !slices.Contains(cfg.Managers, canonical):
			cfg.Managers = append(cfg.Managers, canonical)
		}
	}
	r.unused(cfg)
	if canonical, ok := storeOf(cfg.Webhook.Embedded.Type); ok {
		cfg.Webhook.Embedded.Type = canonical
	} else {
		r.refuse(fmt.Sprintf("%q is not one of %s", cfg.Webhook.Embedded.Type, strings.Join(Stores, ", ")), "webhook", "embeddedSecretManagerConfig", "type")
	}
}

// unused warns of the sections of managers that are not listed.
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
