package flyte

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// key is a key of Flyte's configuration.
type key struct {
	name string
	// ignored is why the key and its subkeys have no effect here.
	ignored string
	// only is the release that knows the key. Unknown means both.
	only Release
	// sub are the subkeys. Empty allows any.
	sub []key
}

const (
	fromSecret = "certificates are read from the Secret itself: see certificate"
	manifest   = "set it in the MutatingWebhookConfiguration"
)

var image = []key{{name: "sidecarImage"}, {name: "resources", sub: []key{{name: "requests"}, {name: "limits"}}}}

// keys are the keys of the sections webhook and secrets. Those that only Flyte 2
// knows follow its source. Not every key was checked against the source of 1.16.8,
// so keys of either release are accepted for both.
var keys = []key{
	{name: "webhook", sub: []key{
		{name: "metrics-prefix", ignored: "metrics are named podsecrets_*"},
		{name: "certDir", ignored: fromSecret},
		{name: "localCert", ignored: fromSecret},
		{name: "listenPort", ignored: "see listen.webhook"},
		{name: "serviceName", ignored: "see service"},
		{name: "servicePort", ignored: manifest},
		{name: "secretName", ignored: "see certificate.secret"},
		{name: "secretManagerType"},
		{name: "secretManagerTypes"},
		{name: "secretEnvVarPrefix", only: Two},
		{name: "awsSecretManager", sub: image},
		{name: "gcpSecretManager", sub: image},
		{name: "azureSecretManager", sub: image, only: Two},
		{name: "vaultSecretManager", sub: []key{{name: "role"}, {name: "kvVersion"}, {name: "annotations"}}},
		{name: "embeddedSecretManagerConfig", only: Two, sub: []key{
			{name: "enabled", ignored: "the list of secret managers decides"},
			{name: "type"},
			{name: "awsConfig", sub: []key{{name: "region"}}},
			{name: "gcpConfig", sub: []key{{name: "project"}}},
			{name: "azureConfig", sub: []key{{name: "vaultURI"}}},
			{name: "k8sConfig", sub: []key{
				{name: "namespace"},
				{name: "kubeClientConfig", ignored: "reviews do not call the API server"},
			}},
			{name: "fileMountInitContainer", ignored: "files need no such init container"},
			{name: "imagePullSecrets", ignored: "pull secrets are not copied, and Flyte creates none to copy"},
		}},
		{name: "imageBuilderConfig", ignored: "images are not rewritten"},
		{name: "webhookTimeout", ignored: manifest, only: Two},
		{name: "disableCreateMutatingWebhookConfig", ignored: "the MutatingWebhookConfiguration is a manifest, and is never created here", only: Two},
		{name: "kubeClientConfig", ignored: "reviews do not call the API server", only: Two},
		{name: "namespaceSelector"},
		{name: "cacheInvalidationPort", ignored: "no value is cached"},
	}},
	{name: "secrets", sub: []key{
		{name: "type", ignored: "global secrets are always local"},
		{name: "secrets-prefix"},
		{name: "env-prefix"},
	}},
}

// components are the sections of other Flyte components, in lower case, with the
// only release that has them. Unknown means both.
var components = map[string]Release{
	"admin": Unknown, "application": One, "auth": Unknown, "authorization": Unknown, "cache": Unknown,
	"catalog-cache": One, "cloudevents": Unknown, "cluster_resources": One, "clusterpools": One,
	"clusters": One, "connector": Unknown, "database": Unknown, "datacatalog": One, "domains": Unknown,
	"event": Unknown, "externalevents": One, "flyte": One, "flyteadmin": One, "logger": Unknown,
	"manager": Unknown, "namespace_mapping": Unknown, "notifications": Unknown, "otel": Unknown,
	"plugins": Unknown, "propeller": One, "qualityofservice": Unknown, "queues": Unknown,
	"registration": Unknown, "remotedata": Unknown, "scheduler": Unknown, "server": Unknown,
	"storage": Unknown, "task_resources": Unknown, "task_type_whitelist": Unknown, "tasks": Unknown,
	"actions": Two, "apps": Two, "dataproxy": Two, "executor": Two, "runs": Two, "secret": Two,
}

// IsSection reports whether a top-level name and its value are a section of Flyte's.
// Its sections are mappings.
func IsSection(name string, value *yaml.Node) bool {
	if value.Kind == yaml.SequenceNode || value.Kind == yaml.ScalarNode && value.Tag != "!!null" {
		return false
	}
	_, ok := components[strings.ToLower(name)]
	return ok || IsOurs(name)
}

// IsOurs reports whether this package reads the section with the name. A
// configuration with such a section is Flyte's.
func IsOurs(name string) bool {
	return strings.EqualFold(name, "webhook") || strings.EqualFold(name, "secrets")
}

// document changes the keys to Flyte's spelling, rejects unknown keys, and warns of
// keys without effect.
func (r *reader) document(doc *yaml.Node) {
	each(doc, func(k, value *yaml.Node) {
		lower := strings.ToLower(k.Value)
		if release, ok := components[lower]; ok {
			if !slices.Contains(r.others, k.Value) {
				r.others = append(r.others, k.Value)
			}
			r.addClue(release, k.Value)
		}
		if i := slices.IndexFunc(keys, func(k key) bool { return k.name == lower }); i >= 0 {
			k.Value = lower
			r.sections = append(r.sections, lower)
			r.checkKeys(value, keys[i].sub, lower)
		}
	})
}

// warnOthers warns once of all sections of other components.
func (r *reader) warnOthers() {
	switch len(r.others) {
	case 0:
	case 1:
		r.warn("has no effect: it belongs to another component of Flyte", r.others[0])
	default:
		r.warn("has no effect, nor have "+strings.Join(r.others[1:], ", ")+": they belong to other components of Flyte", r.others[0])
	}
}

func (r *reader) addClue(release Release, name string) {
	if release != Unknown {
		r.clues = append(r.clues, clue{release, name})
	}
}

// checkKeys is document for the keys of a section.
func (r *reader) checkKeys(node *yaml.Node, known []key, path ...string) {
	if len(known) == 0 {
		return
	}
	each(node, func(k, value *yaml.Node) {
		i := slices.IndexFunc(known, func(known key) bool { return strings.EqualFold(known.name, k.Value) })
		if i < 0 {
			r.refuse("unknown field", append(slices.Clone(path), k.Value)...)
			return
		}
		k.Value = known[i].name
		keyPath := append(slices.Clone(path), k.Value)
		r.sections = append(r.sections, strings.Join(keyPath, "."))
		r.addClue(known[i].only, strings.Join(keyPath, "."))
		if reason := known[i].ignored; reason != "" {
			r.warn("has no effect: "+reason, keyPath...)
			return
		}
		r.checkKeys(value, known[i].sub, keyPath...)
	})
}

// each calls f for the entries of a mapping, including those from YAML's merge key.
func each(node *yaml.Node, f func(key, value *yaml.Node)) {
	switch node.Kind {
	case yaml.AliasNode:
		each(node.Alias, f)
	case yaml.DocumentNode:
		each(node.Content[0], f)
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if k, value := node.Content[i], node.Content[i+1]; k.Tag != "!!merge" {
				f(k, value)
			} else if value.Kind == yaml.SequenceNode {
				for _, source := range value.Content {
					each(source, f)
				}
			} else {
				each(value, f)
			}
		}
	}
}
