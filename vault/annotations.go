package vault

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/podsecrets/podsecrets/internal/names"
	"github.com/podsecrets/podsecrets/mount"
)

// maxPath is Linux's limit on a path in bytes (PATH_MAX).
const maxPath = 4096

// nameFlaw says why Config cannot have an annotation of that name, or "".
func (d *dialect) nameFlaw(name string) string {
	switch {
	case !names.IsAnnotation(name):
		return "is not a valid annotation name"
	case !strings.Contains(name, "/"), d.isMisspelled(name): // meant to be one of the injector's
		return "must begin with " + strconv.Quote(d.prefix)
	case name == d.status:
		return "must not be set: the injector writes it"
	case name == d.containers:
		return "must not be set: it follows from the containers that receive secrets"
	}
	for _, p := range []string{d.secretPath, d.secretFile, d.template, d.perms, d.secretVolume, d.leftDelimiter, d.rightDelimiter} {
		if strings.HasPrefix(name, p) {
			return "must not be set: it applies to a single secret"
		}
	}
	return ""
}

// isMisspelled reports whether the name begins with the prefix in other case, or with
// the prefix of the flavor whose annotations the injector renames.
func (d *dialect) isMisspelled(name string) bool {
	lower := strings.ToLower(name)
	return strings.HasPrefix(lower, d.prefix) && !strings.HasPrefix(name, d.prefix) ||
		d.renames != nil && strings.HasPrefix(lower, d.renames.prefix)
}

// flaw says why no secret would arrive with that annotation, or "".
func (d *dialect) flaw(name, value string) string {
	switch name {
	case d.inject, d.prePopulate:
		value = value[:min(len(value), 64)] // for the message; all true values are shorter
		if on, err := strconv.ParseBool(value); err != nil || !on {
			return fmt.Sprintf("is %q: must be true, or no secrets arrive", value)
		}
	case d.role:
		if value == "" {
			return "is empty: the agent would use the role from another annotation"
		}
	case d.configMap:
		if value != "" {
			return "is set: the agent would ignore the requested secrets"
		}
	case d.volumePath:
		var wrong *mount.LayoutError
		switch {
		case value == "": // Layout would use its default
			return "is empty"
		case len(value) > maxPath:
			return fmt.Sprintf("is too long (maximum %d bytes)", maxPath)
		case errors.As(mount.Layout{Dir: value}.Validate(), &wrong):
			return wrong.Reason
		}
	}
	return ""
}

// check reports annotations of the Pod with which no secret would arrive. inPod checks
// volumePath; the injector reports conflicting required annotations.
func (d *dialect) check(target mount.Target) error {
	for _, name := range [...]string{d.inject, d.prePopulate, d.configMap, d.role} {
		if value, ok := target.Annotation(name); ok {
			if reason := d.flaw(name, value); reason != "" {
				return conflict(name, reason)
			}
		}
	}
	if d.renames == nil {
		return nil
	}
	for _, name := range d.agentAnnotations() {
		if old := d.renamed(name); has(target, old) {
			return conflict(old, fmt.Sprintf("is not allowed: %s's injector would rename it to %q", d.product, name))
		}
	}
	return nil
}

// check reports annotations of the Pod with which this secret would not arrive.
func (n secretNames) check(target mount.Target, dir string) error {
	for _, a := range [...]struct{ name, want string }{
		{n.volume, dir},
		{n.left, "{{"},
		{n.right, "}}"},
	} {
		if value, ok := target.Annotation(a.name); ok && value != a.want {
			return conflict(a.name, fmt.Sprintf("must be %q, or the secret does not arrive", a.want))
		}
	}
	return nil
}

func conflict(name, reason string) error {
	return &mount.ConflictError{Path: "metadata.annotations[" + name + "]", Field: "metadata.annotations", Name: name, Reason: reason}
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// secretNames are the names of the annotations for one secret.
type secretNames struct{ path, file, template, perms, volume, left, right string }

// namesFor returns the names for a secret's id. They share one string, to allocate once.
func (d *dialect) namesFor(id string) secretNames {
	prefixes := [...]string{d.secretPath, d.secretFile, d.template, d.perms, d.secretVolume, d.leftDelimiter, d.rightDelimiter}
	var b strings.Builder
	size := 0
	for _, p := range prefixes {
		size += len(p) + len(id)
	}
	b.Grow(size)
	for _, p := range prefixes {
		b.WriteString(p)
		b.WriteString(id)
	}
	all := b.String()
	var parts [len(prefixes)]string
	for i, p := range prefixes {
		n := len(p) + len(id)
		parts[i], all = all[:n], all[n:]
	}
	return secretNames{parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]}
}
