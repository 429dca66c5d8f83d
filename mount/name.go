package mount

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// namePrefix starts every name that the library generates.
const namePrefix = "podsecrets-"

// nameHash is the number of hash bytes in a name. A collision takes an attacker
// about 2^40 tries, and yields a ConflictError.
const nameHash = 10

// Name returns a name for something that a manager adds to a Pod, such as a
// volume or an init container: "podsecrets-" and a short hash of the parts. The
// name is always a DNS label of 31 characters (Kubernetes allows 63), and
// differs whenever a part differs. When a Pod is injected again, the injector
// recognizes earlier additions by this name.
//
// Pass what identifies the purpose: the manager's name, then the secret as the
// store names it, then the file to write. Do not pass what a later
// configuration may change, such as the image. Otherwise a Pod that is injected
// again would get a second container for the same file. For a container or
// volume that all secrets of a manager share, pass the manager's name and a
// fixed word.
func Name(parts ...string) string {
	all := make([]byte, 0, 256)
	for _, p := range parts {
		// The length prefix separates the parts.
		all = strconv.AppendInt(all, int64(len(p)), 10)
		all = append(append(all, ':'), p...)
	}
	sum := sha256.Sum256(all)
	name := make([]byte, 0, len(namePrefix)+2*nameHash)
	return string(hex.AppendEncode(append(name, namePrefix...), sum[:nameHash]))
}

// IsName reports whether s has the form that Name returns.
func IsName(s string) bool {
	hash, ok := strings.CutPrefix(s, namePrefix)
	return ok && len(hash) == 2*nameHash && strings.Trim(hash, "0123456789abcdef") == ""
}
