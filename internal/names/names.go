// Package names reports which names Kubernetes accepts. Common names are recognized
// without regular expressions; Kubernetes' own functions decide about all others.
package names

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// set returns a table of the given bytes.
func set(bytes string) (table [256]bool) {
	for i := range len(bytes) {
		table[bytes[i]] = true
	}
	return table
}

var (
	wordBytes  = set(lower + upper + digits + "-_")
	lowerBytes = set(lower + digits)
)

// IsEnvVar reports whether every cluster accepts the name for a container's variable.
func IsEnvVar(name string) bool {
	// A leading dot could be "..", and a leading digit is invalid.
	common := name != "" && name[0] != '.' && (name[0] < '0' || name[0] > '9')
	for i := 0; common && i < len(name); i++ {
		common = wordBytes[name[i]] || name[i] == '.'
	}
	return common || len(validation.IsEnvVarName(name)) == 0
}

// IsRelaxedEnvVar reports whether a cluster with Kubernetes' relaxed rule accepts the
// name for a variable. Every cluster with env files has the relaxed rule.
func IsRelaxedEnvVar(name string) bool { return len(validation.IsRelaxedEnvVarName(name)) == 0 }

// IsKey reports whether the key is valid in a Secret.
func IsKey(key string) bool {
	common := key != "" && key[0] != '.' && len(key) <= validation.DNS1123SubdomainMaxLength
	for i := 0; common && i < len(key); i++ {
		common = wordBytes[key[i]] || key[i] == '.'
	}
	return common || len(validation.IsConfigMapKey(key)) == 0
}

// IsSubdomain reports whether the name is valid for an object, such as a Secret.
func IsSubdomain(name string) bool {
	return name != "" && len(name) <= validation.DNS1123SubdomainMaxLength && isDotted(name) ||
		len(validation.IsDNS1123Subdomain(name)) == 0
}

// IsContainer reports whether the name is valid for a container.
func IsContainer(name string) bool { return len(validation.IsDNS1123Label(name)) == 0 }

// IsAnnotation reports whether the name is valid for an annotation. API servers check
// it in lower case.
func IsAnnotation(name string) bool {
	prefix, rest, ok := strings.Cut(name, "/")
	// Only the common case: Kubernetes also allows longer prefixes and more characters.
	if ok && len(prefix) <= 63 && len(rest) <= 63 && isDotted(prefix) && isDotted(rest) {
		return true
	}
	return len(validation.IsQualifiedName(strings.ToLower(name))) == 0
}

// isDotted reports whether a name consists of lower-case letters and digits, and of "-"
// and "." each between two of them.
func isDotted(name string) bool {
	separated := true // the next byte must be a letter or a digit
	for i := range len(name) {
		switch c := name[i]; {
		case lowerBytes[c]:
			separated = false
		case !separated && (c == '-' || c == '.'):
			separated = true
		default:
			return false
		}
	}
	return !separated
}
