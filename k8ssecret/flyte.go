package k8ssecret

import (
	"crypto/md5" // #nosec G501 -- Flyte's choice, for names rather than for security
	"encoding/hex"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Whole, as an argument of FlyteScope, leaves out that part of the scope: without a
// project the scope is a whole domain, and without a domain and a project a whole
// organization. No label can have this value.
const Whole = "*"

// FlyteScope returns a Config.Names that names Secrets as Flyte 2 does: one Secret per
// key and scope. A scope is an organization, optionally with a domain and a project. An
// empty argument means the Pod's label "organization", "domain" or "project", which the
// Pod's author chooses; without the label that part is empty. Whole leaves a part empty
// whatever the labels say. The request's group and version are ignored.
//
// Flyte 2 searches the narrowest scope first. Several managers, one per scope, cannot
// do that: a reference cannot know which Secret exists, so the first manager serves
// every key. Use a single scope. To use several, each narrower scope needs a
// Config.Names that returns secret.ErrUnsupported for keys that the scope does not
// have.
//
// Flyte 2 keeps its Secrets in one namespace and copies their values into the Pod. This
// package writes references, so the Secret must be in the Pod's namespace.
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
