package flyte

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// key is one that Flyte knows in one of its sections.
type key struct {
	name string
	// ignored says why the key, with all below it, has no effect here.
	ignored string
	// only is the release that knows it. Unknown means both.
	only Release
	// sub are the keys below. Without any, all are allowed.
	sub []key
}

const (
	fromSecret = "certificates are read from the Secret itself: see certificate"
	manifest   = "the MutatingWebhookConfiguration says it"
)

var image = []key{{name: "sidecarImage"}, {name: "resources", sub: []key{{name: "requests"}, {name: "limits"}}}}

// keys are those of the sections webhook and secrets. Which of them only Flyte 2
// knows is from its source; what the source of 1.16.8 says of keys was not read
// for all of them, so that a key of either is accepted with both.
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
			{name: "enabled", ignored: "the list of secret managers says it"},
			{name: "type"},
			{name: "awsConfig", sub: []key{{name: "region"}}},
			{name: "gcpConfig", sub: []key{{name: "project"}}},
			{name: "azureConfig", sub: []key{{name: "vaultURI"}}},
			{name: "k8sConfig", sub: []key{
				{name: "namespace"},
				{name: "kubeClientConfig", ignored: "reviews do not call the API server"},
			}},
			{name: "fileMountInitContainer", ignored: "files do not need a container of that kind"},
			{name: "imagePullSecrets", ignored: "pull secrets are not copied, and nothing in Flyte makes those that would be"},
		}},
		{name: "imageBuilderConfig", ignored: "images are not rewritten"},
		{name: "webhookTimeout", ignored: manifest, only: Two},
		{name: "disableCreateMutatingWebhookConfig", ignored: "the MutatingWebhookConfiguration is among the manifests, and is never created here", only: Two},
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

// parts are the sections of Flyte's other parts, in lower case, and the release
// that alone has them.
var parts = map[string]Release{
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

// IsSection reports whether a name at the top of a configuration, and its value,
// are a section of Flyte's. Its sections are mappings.
func IsSection(name string, value *yaml.Node) bool {
	if value.Kind == yaml.SequenceNode || value.Kind == yaml.ScalarNode && value.Tag != "!!null" {
		return false
	}
	_, ok := parts[strings.ToLower(name)]
	return ok || IsOurs(name)
}

// IsOurs reports whether a name is that of a section which this package reads. A
// configuration is Flyte's if it has one.
func IsOurs(name string) bool {
	return strings.EqualFold(name, "webhook") || strings.EqualFold(name, "secrets")
}

// document spells the keys as Flyte does, refuses those that it does not know, and
// warns of those without effect.
func (r *reader) document(doc *yaml.Node) {
	each(doc, func(k, value *yaml.Node) {
		lower := strings.ToLower(k.Value)
		if release, ok := parts[lower]; ok {
			if !slices.Contains(r.others, k.Value) {
				r.others = append(r.others, k.Value)
			}
			r.mark(release, k.Value)
		}
		if i := slices.IndexFunc(keys, func(k key) bool { return k.name == lower }); i >= 0 {
			k.Value = lower
			r.sections = append(r.sections, lower)
			r.below(value, keys[i].sub, lower)
		}
	})
}

// passOver warns, once, of all sections of other parts.
func (r *reader) passOver() {
	switch len(r.others) {
	case 0:
	case 1:
		r.warn("has no effect: it is for another part of Flyte", r.others[0])
	default:
		r.warn("has no effect, as have "+strings.Join(r.others[1:], ", ")+": they are for other parts of Flyte", r.others[0])
	}
}

func (r *reader) mark(release Release, name string) {
	if release != Unknown {
		r.marks = append(r.marks, mark{release, name})
	}
}

// below goes over the keys of a section.
func (r *reader) below(node *yaml.Node, known []key, path ...string) {
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
		at := append(slices.Clone(path), k.Value)
		r.sections = append(r.sections, strings.Join(at, "."))
		r.mark(known[i].only, strings.Join(at, "."))
		if reason := known[i].ignored; reason != "" {
			r.warn("has no effect: "+reason, at...)
			return
		}
		r.below(value, known[i].sub, at...)
	})
}

// each calls f with the keys and values of a mapping, those that it has by YAML's
// merge key among them.
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
				for _, one := range value.Content {
					each(one, f)
				}
			} else {
				each(value, f)
			}
		}
	}
}
