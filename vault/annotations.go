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

// The annotations of the Vault Agent Injector that this package writes or looks
// at.
const (
	prefix = "vault.hashicorp.com/"

	inject          = prefix + "agent-inject"
	initFirst       = prefix + "agent-init-first"
	prePopulateOnly = prefix + "agent-pre-populate-only"
	role            = prefix + "role"
	volumePath      = prefix + "secret-volume-path"
	containers      = prefix + "agent-inject-containers"

	prePopulate = prefix + "agent-pre-populate"
	configMap   = prefix + "agent-configmap"
	status      = prefix + "agent-inject-status"

	// These end in the id of a secret.
	secretPath     = prefix + "agent-inject-secret-"
	secretFile     = prefix + "agent-inject-file-"
	template       = prefix + "agent-inject-template-"
	secretVolume   = volumePath + "-"
	leftDelimiter  = prefix + "agent-template-left-delim-"
	rightDelimiter = prefix + "agent-template-right-delim-"
)

// maxPath is Linux's limit on a path in bytes (PATH_MAX).
const maxPath = 4096

// nameFlaw says why an annotation of that name cannot be configured, or "".
func nameFlaw(name string) string {
	switch {
	case !names.IsAnnotation(name):
		return "is not a valid name of an annotation"
	// A name that was meant to be one of the Vault Agent Injector's.
	case !strings.Contains(name, "/"), strings.HasPrefix(strings.ToLower(name), prefix) && !strings.HasPrefix(name, prefix):
		return "does not begin with " + prefix
	case name == status:
		return "is for the Vault Agent Injector to write"
	case name == containers:
		return "follows from the choice of containers"
	}
	for _, p := range []string{secretPath, secretFile, template, secretVolume, leftDelimiter, rightDelimiter} {
		if strings.HasPrefix(name, p) {
			return "belongs to a single secret"
		}
	}
	return ""
}

// flaw says why secrets would never arrive with that annotation, or "".
func flaw(name, value string) string {
	switch name {
	case inject, prePopulate:
		value = value[:min(len(value), 64)] // which is no shorter than any that is true
		if on, err := strconv.ParseBool(value); err != nil || !on {
			return fmt.Sprintf("is %q, and secrets arrive only if it is true", value)
		}
	case role:
		if value == "" {
			return "is empty, and the agent would take another annotation's"
		}
	case configMap:
		if value != "" {
			return "is set, and then the agent takes no notice of the secrets asked for"
		}
	case volumePath:
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

// check finds annotations of the Pod with which the secret would not arrive. Mount
// has looked at volumePath; the injector reports conflicting required annotations.
func check(target mount.Target, dir string, secrets ...annotationNames) error {
	for _, name := range []string{inject, prePopulate, configMap, role} {
		if value, ok := target.Annotation(name); ok {
			if reason := flaw(name, value); reason != "" {
				return conflict(name, reason)
			}
		}
	}
	for _, n := range secrets {
		for _, other := range []struct{ name, without string }{
			{n.volume, dir},
			{n.left, "{{"},
			{n.right, "}}"},
		} {
			if value, ok := target.Annotation(other.name); ok && value != other.without {
				return conflict(other.name, fmt.Sprintf("is not %q, without which the secret does not arrive", other.without))
			}
		}
	}
	return nil
}

func conflict(name, reason string) error {
	return &mount.ConflictError{Path: "metadata.annotations[" + name + "]", Field: "metadata.annotations", Name: name, Reason: reason}
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
