package mount

import (
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A volume hides the image's files at its path, so a directory of secrets must
// not be one that the container, its runtime or its libraries need.
var (
	// Refused with everything below: the kernel and the container runtime own
	// them.
	reservedTrees = []string{"/proc", "/sys", "/dev"}
	// Refused themselves, but not what is below. In many images, /bin and /sbin
	// are links to /usr/bin and /usr/sbin.
	reservedDirs = []string{
		"/etc", "/usr", "/bin", "/sbin", "/run", "/var", "/var/run", "/home", "/root", "/tmp",
		"/usr/bin", "/usr/sbin", "/usr/local", "/usr/local/bin", "/usr/local/sbin",
	}
	// Refused themselves, also with a suffix, such as /lib64.
	reservedLibs = []string{"/lib", "/usr/lib", "/usr/local/lib"}
	// Refused with everything above and below: the kubelet mounts the service
	// account's token there. /var/run is usually a link to /run.
	serviceAccountDirs = []string{"/var/run/secrets/kubernetes.io/serviceaccount", "/run/secrets/kubernetes.io/serviceaccount"}
)

// dirFlaw returns why dir cannot be the directory of secrets, or "".
func dirFlaw(dir string) string {
	switch {
	case !path.IsAbs(dir), path.Clean(dir) != dir:
		return "is not an absolute, clean path"
	case dir == "/":
		return "is the root directory"
	case strings.Contains(dir, ":"):
		return `contains ":", which Kubernetes does not allow in a mount path`
	case longSegment(dir):
		return "has a path segment longer than 255 bytes"
	case unreadable(dir):
		return unreadableText
	}
	return reserved(dir)
}

func reserved(dir string) string {
	for _, tree := range reservedTrees {
		if isUnder(tree, dir) {
			return "is reserved: the container runtime provides " + tree
		}
	}
	for _, d := range reservedDirs {
		if dir == d {
			return "is reserved: a volume there would hide the image's files"
		}
	}
	for _, lib := range reservedLibs {
		if rest, ok := strings.CutPrefix(dir, lib); ok && !strings.Contains(rest, "/") {
			return "is reserved: a volume there would hide the image's files"
		}
	}
	for _, token := range serviceAccountDirs {
		if isUnder(token, dir) || isUnder(dir, token) {
			return "is reserved: it overlaps the service account directory " + token
		}
	}
	return ""
}

// isUnder reports whether the clean path p is dir or below it.
func isUnder(dir, p string) bool {
	rest, ok := strings.CutPrefix(p, dir)
	return ok && (rest == "" || rest[0] == '/')
}

const unreadableText = "has leading or trailing spaces, control characters or invalid UTF-8"

// unreadable reports text that the client would not read unchanged: it strips
// spaces around the discovery variables' values.
func unreadable(s string) bool {
	return strings.TrimSpace(s) != s || strings.ContainsFunc(s, unicode.IsControl) || !utf8.ValidString(s)
}

// longSegment reports a path with a segment longer than Linux allows
// (NAME_MAX).
func longSegment(p string) bool {
	for segment := range strings.SplitSeq(p, "/") {
		if len(segment) > 255 {
			return true
		}
	}
	return false
}

// LayoutError reports a field of a Layout that cannot be used.
type LayoutError struct {
	Field, Value, Reason string
}

func (e *LayoutError) Error() string {
	return fmt.Sprintf("layout: %s %q %s", e.Field, e.Value, e.Reason)
}
