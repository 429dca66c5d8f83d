package mount

import (
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A volume hides what an image has at its path. So a directory of secrets must
// not be one that the container, its runtime or its libraries need.
var (
	// Neither these nor anything below them: they belong to the kernel and the
	// container runtime.
	reservedTrees = []string{"/proc", "/sys", "/dev"}
	// Not these themselves. The last ones are where merged images have /bin,
	// /sbin and /lib.
	reservedDirs = []string{
		"/etc", "/usr", "/bin", "/sbin", "/run", "/var", "/var/run", "/home", "/root", "/tmp",
		"/usr/bin", "/usr/sbin", "/usr/local", "/usr/local/bin", "/usr/local/sbin",
	}
	// Not these, which may have a suffix, such as /lib64.
	reservedLibs = []string{"/lib", "/usr/lib", "/usr/local/lib"}
	// Neither these, nor what contains them, nor anything below them. The
	// kubelet mounts the service account's token there; /var/run is usually a
	// link to /run.
	serviceAccountDirs = []string{"/var/run/secrets/kubernetes.io/serviceaccount", "/run/secrets/kubernetes.io/serviceaccount"}
)

// dirFlaw says why a directory cannot be that of secrets, or "".
func dirFlaw(dir string) string {
	switch {
	case !path.IsAbs(dir), path.Clean(dir) != dir:
		return "is not an absolute, clean path"
	case dir == "/":
		return "is the root directory"
	case strings.Contains(dir, ":"):
		return `has ":", which Kubernetes refuses in a mount path`
	case longSegment(dir):
		return "has a segment of more than 255 bytes"
	case unreadable(dir):
		return "has outer blanks, control characters or invalid UTF-8"
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
			return "is reserved: a volume there would hide what the image has in it"
		}
	}
	for _, lib := range reservedLibs {
		if rest, ok := strings.CutPrefix(dir, lib); ok && !strings.Contains(rest, "/") {
			return "is reserved: a volume there would hide what the image has in it"
		}
	}
	for _, token := range serviceAccountDirs {
		if isUnder(token, dir) || isUnder(dir, token) {
			return "is reserved: it overlaps the directory of the service account, " + token
		}
	}
	return ""
}

// isUnder reports whether the clean path p is dir or below it.
func isUnder(dir, p string) bool {
	rest, ok := strings.CutPrefix(p, dir)
	return ok && (rest == "" || rest[0] == '/')
}

// unreadable reports text that would not reach the client as it is: it strips
// what it reads from the discovery variables.
func unreadable(s string) bool {
	return strings.TrimSpace(s) != s || strings.ContainsFunc(s, unicode.IsControl) || !utf8.ValidString(s)
}

// longSegment reports a path that no Linux file can have (NAME_MAX).
func longSegment(p string) bool {
	for segment := range strings.SplitSeq(p, "/") {
		if len(segment) > 255 {
			return true
		}
	}
	return false
}

// LayoutError says which field of a Layout cannot be used, and why.
type LayoutError struct {
	Field, Value, Reason string
}

func (e *LayoutError) Error() string {
	return fmt.Sprintf("layout: %s %q %s", e.Field, e.Value, e.Reason)
}
