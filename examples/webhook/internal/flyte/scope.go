package flyte

import (
	"crypto/md5" // #nosec G501 -- Flyte's choice, for names rather than for security
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Reach is for what a secret is kept: a project of a domain, a domain, or a whole
// organization.
type Reach uint8

// The reaches, the narrowest first.
const (
	Project Reach = iota
	Domain
	Organization
)

var reaches = []string{"Project", "Domain", "Organization"}

// ParseReach reads Project, Domain or Organization.
func ParseReach(text string) (Reach, error) {
	i := slices.Index(reaches, text)
	if i < 0 {
		return 0, fmt.Errorf("%q is none of %s", text, strings.Join(reaches, ", "))
	}
	return Reach(i), nil // #nosec G115 -- one of three
}

// Scope says whose secrets are served. Flyte looks for one that is kept for the
// project, then for the domain, then for the organization. What is referred to, or
// fetched later, cannot be looked for, so the reach is configuration here.
type Scope struct {
	// Organization, Domain and Project, if set, take the place of the Pod's labels
	// of these names, which are the word of the Pod's author.
	Organization, Domain, Project string
	// Reach is for what secrets are kept.
	Reach Reach
	// DomainKeys and OrganizationKeys are keys that are kept for a domain and for
	// an organization, whatever Reach says.
	DomainKeys, OrganizationKeys []string
}

// name is a secret of the embedded manager. What it is not kept for is empty.
type name struct{ org, domain, project, key string }

// name returns that of a key. A Pod that lacks one of the three labels has no
// embedded secrets, as in Flyte.
func (s Scope) name(key string, target mount.Target) (name, error) {
	n := name{key: key}
	for _, part := range []struct {
		label, fixed string
		value        *string
	}{
		{"organization", s.Organization, &n.org}, {"domain", s.Domain, &n.domain}, {"project", s.Project, &n.project},
	} {
		*part.value = part.fixed
		if part.fixed == "" {
			*part.value, _ = target.Label(part.label)
		}
		if *part.value == "" {
			return name{}, fmt.Errorf("%w: the Pod has no label %q", secret.ErrUnsupported, part.label)
		}
	}
	reach := s.Reach
	switch {
	case slices.Contains(s.OrganizationKeys, key):
		reach = Organization
	case slices.Contains(s.DomainKeys, key):
		reach = Domain
	}
	if reach >= Domain {
		n.project = ""
	}
	if reach >= Organization {
		n.domain = ""
	}
	return n, nil
}

// id is Flyte's EncodeSecretName.
func (n name) id() string {
	return "u__org__" + n.org + "__domain__" + n.domain + "__project__" + n.project + "__key__" + n.key
}

// HashedName is Flyte's EncodeK8sSecretName: the name of a Kubernetes Secret that
// holds a key of that id.
func HashedName(id string) string {
	sum := md5.Sum([]byte(id)) // #nosec G401 -- see the import
	return hex.EncodeToString(sum[:])
}

// azure is the name in a Key Vault, which takes letters, digits and "-" only.
func (n name) azure() string {
	part := func(s string) string {
		return strings.ReplaceAll(strings.ReplaceAll(s, "0", "00"), "-", "01")
	}
	key := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(n.key))
	return strings.Join([]string{"1", part(n.org), part(n.domain), part(n.project), key}, "-")
}
