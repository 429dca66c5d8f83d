package k8ssecret

import (
	"crypto/md5" // #nosec G501 -- Flyte's choice, for names rather than for security
	"encoding/hex"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Whole, as the domain or project of FlyteScope, means secrets that belong to the
// whole organization, or the whole domain. No label has this value.
const Whole = "*"

// FlyteScope returns a Config.Names that finds secrets where Flyte 2 keeps them: one
// Secret for each key and scope, which is an organization with, or without, a
// domain and a project. An argument that is empty is the Pod's label
// "organization", "domain" or "project", and empty if the Pod has none; the labels
// are the word of the Pod's author. Whole leaves a part empty whatever the labels
// say. Group and version of a request are ignored.
//
// Flyte 2 looks into the narrowest scope first. A manager for each scope does the
// same with one difference: a reference cannot know which Secret exists, so the
// first manager serves every key. Use a single scope unless Config.Names of the
// narrower ones returns secret.ErrUnsupported for what they do not have.
//
// Flyte 2 keeps its Secrets in one namespace and puts values into the Pod; a
// reference needs the Secret in the Pod's own namespace.
//
// Source: flyte v2.0.43, EncodeSecretName and EncodeK8sSecretName.
func FlyteScope(org, domain, project string) func(secret.Request, mount.Target) (Ref, error) {
	return func(req secret.Request, target mount.Target) (Ref, error) {
		id := "u__org__" + part(org, target, "organization") +
			"__domain__" + part(domain, target, "domain") +
			"__project__" + part(project, target, "project") + "__key__" + req.Key
		sum := md5.Sum([]byte(id)) // #nosec G401 -- see the import
		return Ref{hex.EncodeToString(sum[:]), id}, nil
	}
}

func part(value string, target mount.Target, label string) string {
	switch value {
	case Whole:
		return ""
	case "":
		value, _ = target.Label(label)
	}
	return value
}
