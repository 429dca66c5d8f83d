package injectortest

import (
	"cmp"
	"path"
	"strings"
	"unicode"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// These are the rules of Flyte's Python client (flytekit 1.16.24), written down
// a second time and not by means of mount.Layout, so that one can prove the
// other.

// The client's defaults. Its directory is not the one that Flyte's webhook uses.
const (
	clientEnvPrefix = "_FSEC_"
	clientDir       = "/etc/secrets"
)

// lookup is where the client looks for a secret: the variable first.
type lookup struct{ variable, file string }

// lookUp returns where the client looks, in a container in which the function
// tells the value of a discovery variable, "" if it is not set.
func lookUp(discovery func(name string) string, req secret.Request) lookup {
	setting := func(name, unset string) string {
		return strip(cmp.Or(discovery(name), unset))
	}
	var parts []string
	for _, part := range []string{req.Group, req.GroupVersion, req.Key} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	upper := strings.ToUpper(strings.Join(parts, "_"))
	for i := range parts {
		parts[i] = strings.ToLower(parts[i])
	}
	if len(parts) > 0 {
		parts[len(parts)-1] = setting(mount.FilePrefixVar, "") + parts[len(parts)-1]
	}
	return lookup{
		variable: setting(mount.EnvPrefixVar, clientEnvPrefix) + upper,
		// The kernel reads "a//b" and "a/./b" as "a/b". There are no "..", which
		// Validate refuses.
		file: path.Clean(setting(mount.DefaultDirVar, clientDir) + "/" + strings.Join(parts, "/")),
	}
}

// strip is Python's str.strip, which takes four control characters for blanks
// that Go does not.
func strip(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f })
}
