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

// Reach is the scope of a secret: a project in a domain, a domain, or an
// organization.
type Reach uint8

// The reaches, narrowest first.
const (
	Project Reach = iota
	Domain
	Organization
)

var reaches = []string{"Project", "Domain", "Organization"}

// ParseReach parses "Project", "Domain" or "Organization".
func ParseReach(text string) (Reach, error) {
	i := slices.Index(reaches, text)
	if i < 0 {
		return 0, fmt.Errorf("%q is not one of %s", text, strings.Join(reaches, ", "))
	}
	return Reach(i), nil // #nosec G115 -- one of three
}

// Scope selects whose secrets are served. Flyte tries the project's secret, then the
// domain's, then the organization's. Here nothing is looked up, so Reach must be
// configured.
type Scope struct {
	// Organization, Domain and Project replace the Pod's labels of these names if
	// set. The Pod's author chooses the labels.
	Organization, Domain, Project string
	// Reach is the scope of all secrets but those of the two lists.
	Reach Reach
	// DomainKeys and OrganizationKeys are the keys of secrets whose scope is the
	// domain or the organization.
	DomainKeys, OrganizationKeys []string
}

// name identifies an embedded secret. Parts outside its reach are empty.
type name struct{ org, domain, project, key string }

// name returns the name for a key. As in Flyte, a Pod without all three labels has no
// embedded secrets.
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
			return name{}, fmt.Errorf("%w: the pod has no label %q", secret.ErrUnsupported, part.label)
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

// HashedName is Flyte's EncodeK8sSecretName: the name of the Kubernetes Secret with
// the id.
func HashedName(id string) string {
	sum := md5.Sum([]byte(id)) // #nosec G401 -- see the import
	return hex.EncodeToString(sum[:])
}

// azure returns the name in a Key Vault, which allows only letters, digits and "-".
func (n name) azure() string {
	part := func(s string) string {
		return strings.ReplaceAll(strings.ReplaceAll(s, "0", "00"), "-", "01")
	}
	key := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(n.key))
	return strings.Join([]string{"1", part(n.org), part(n.domain), part(n.project), key}, "-")
}
