// Package names reports which names Kubernetes accepts. The usual ones are
// recognized without regular expressions; Kubernetes' own functions decide about
// all others.
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

// set returns the table of the bytes of a text.
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

// IsEnvVar reports whether a variable of a container can have the name in every
// cluster.
func IsEnvVar(name string) bool {
	// A dot in front could be "..", and a digit is refused.
	usual := name != "" && name[0] != '.' && (name[0] < '0' || name[0] > '9')
	for i := 0; usual && i < len(name); i++ {
		usual = wordBytes[name[i]] || name[i] == '.'
	}
	return usual || len(validation.IsEnvVarName(name)) == 0
}

// IsRelaxedEnvVar reports whether a variable can have the name where Kubernetes
// relaxes its rule: in clusters that have env files, always.
func IsRelaxedEnvVar(name string) bool { return len(validation.IsRelaxedEnvVarName(name)) == 0 }

// IsKey reports whether a Secret can have the key.
func IsKey(key string) bool {
	usual := key != "" && key[0] != '.' && len(key) <= validation.DNS1123SubdomainMaxLength
	for i := 0; usual && i < len(key); i++ {
		usual = wordBytes[key[i]] || key[i] == '.'
	}
	return usual || len(validation.IsConfigMapKey(key)) == 0
}

// IsSubdomain reports whether an object, such as a Secret, can have the name.
func IsSubdomain(name string) bool {
	return name != "" && len(name) <= validation.DNS1123SubdomainMaxLength && isDotted(name) ||
		len(validation.IsDNS1123Subdomain(name)) == 0
}

// IsContainer reports whether a container can have the name.
func IsContainer(name string) bool { return len(validation.IsDNS1123Label(name)) == 0 }

// IsAnnotation reports whether an annotation can have the name. API servers
// check it in lower case.
func IsAnnotation(name string) bool {
	prefix, rest, ok := strings.Cut(name, "/")
	// Kubernetes allows a prefix of 253 bytes, and more in the rest.
	if ok && len(prefix) <= 63 && len(rest) <= 63 && isDotted(prefix) && isDotted(rest) {
		return true
	}
	return len(validation.IsQualifiedName(strings.ToLower(name))) == 0
}

// isDotted reports whether a name has lower-case letters and digits, and "-"
// and "." each between two of them.
func isDotted(name string) bool {
	separated := true // what is next must be a letter or a digit
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
