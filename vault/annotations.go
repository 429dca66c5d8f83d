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

// nameFlaw says why an annotation of that name cannot be configured, or "".
func (d *dialect) nameFlaw(name string) string {
	switch {
	case !names.IsAnnotation(name):
		return "is not a valid name of an annotation"
	// A name that was meant to be one of the injector's.
	case !strings.Contains(name, "/"), hasPrefixInCapitals(name, d.prefix), d.isVaults(name):
		return "does not begin with " + d.prefix
	case name == d.status:
		return "is for the injector to write"
	case name == d.containers:
		return "follows from the choice of containers"
	}
	for _, p := range []string{d.secretPath, d.secretFile, d.template, d.perms, d.secretVolume, d.leftDelimiter, d.rightDelimiter} {
		if strings.HasPrefix(name, p) {
			return "belongs to a single secret"
		}
	}
	return ""
}

func hasPrefixInCapitals(name, prefix string) bool {
	return strings.HasPrefix(strings.ToLower(name), prefix) && !strings.HasPrefix(name, prefix)
}

// isVaults reports an annotation of Vault's that OpenBao's injector would rename.
func (d *dialect) isVaults(name string) bool {
	prefix := dialects[Vault].prefix
	return d.prefix != prefix && strings.HasPrefix(strings.ToLower(name), prefix)
}

// flaw says why secrets would never arrive with that annotation, or "".
func (d *dialect) flaw(name, value string) string {
	switch name {
	case d.inject, d.prePopulate:
		value = value[:min(len(value), 64)] // which is no shorter than any that is true
		if on, err := strconv.ParseBool(value); err != nil || !on {
			return fmt.Sprintf("is %q, and secrets arrive only if it is true", value)
		}
	case d.role:
		if value == "" {
			return "is empty, and the agent would take another annotation's"
		}
	case d.configMap:
		if value != "" {
			return "is set, and then the agent takes no notice of the secrets asked for"
		}
	case d.volumePath:
		var wrong *mount.LayoutError
		switch {
		case value == "": // the default, to Layout
			return "is empty"
		case len(value) > maxPath:
			return fmt.Sprintf("has more than %d bytes", maxPath)
		case errors.As(mount.Layout{Dir: value}.Validate(), &wrong):
			return wrong.Reason
		}
	}
	return ""
}

// check finds annotations of the Pod with which no secret would arrive. Mount has
// looked at volumePath; the injector reports conflicting required annotations.
func (d *dialect) check(target mount.Target) error {
	for _, name := range [...]string{d.inject, d.prePopulate, d.configMap, d.role} {
		if value, ok := target.Annotation(name); ok {
			if reason := d.flaw(name, value); reason != "" {
				return conflict(name, reason)
			}
		}
	}
	if vaults := dialects[Vault]; d != vaults {
		for _, name := range vaults.ofPod() {
			if _, ok := target.Annotation(name); ok {
				return conflict(name, "is Vault's, and OpenBao's injector would take it in place of "+d.prefix+name[len(vaults.prefix):])
			}
		}
	}
	return nil
}

// checkSecret finds annotations of the Pod with which a secret would not arrive.
func (n secretNames) checkSecret(target mount.Target, dir string) error {
	for _, other := range [...]struct{ name, without string }{
		{n.volume, dir},
		{n.left, "{{"},
		{n.right, "}}"},
	} {
		if value, ok := target.Annotation(other.name); ok && value != other.without {
			return conflict(other.name, fmt.Sprintf("is not %q, without which the secret does not arrive", other.without))
		}
	}
	return nil
}

func conflict(name, reason string) error {
	return &mount.ConflictError{Path: "metadata.annotations[" + name + "]", Field: "metadata.annotations", Name: name, Reason: reason}
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// secretNames are the names of a secret's annotations.
type secretNames struct{ path, file, template, perms, volume, left, right string }

// of returns the names for the id of a secret, as parts of one text, which is
// made at once.
func (d *dialect) of(id string) secretNames {
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
