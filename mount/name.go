package mount

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// Everything that this library adds to a Pod under a name of its own choice
// begins so.
const namePrefix = "podsecrets-"

// How many bytes of the hash a name shows. A Pod whose author finds two
// requests with one hash among 2^80 gets a ConflictError.
const nameHash = 10

// Name returns the name of something that a manager adds to a Pod, such as a
// volume or a fetching container: "podsecrets-" and a short hash of the parts.
// It is a DNS label of 31 characters whatever the parts hold (Kubernetes allows
// 63), differs whenever a part differs, and is how what was added before is
// recognized when a Pod is injected again. By convention the first part is the
// name of the manager.
func Name(parts ...string) string {
	all := make([]byte, 0, 256)
	for _, p := range parts {
		// With its length before it, no part can run into the next.
		all = strconv.AppendInt(all, int64(len(p)), 10)
		all = append(append(all, ':'), p...)
	}
	sum := sha256.Sum256(all)
	return namePrefix + hex.EncodeToString(sum[:nameHash])
}

// IsName reports whether s is of the form that Name returns.
func IsName(s string) bool {
	hash, ok := strings.CutPrefix(s, namePrefix)
	return ok && len(hash) == 2*nameHash && strings.Trim(hash, "0123456789abcdef") == ""
}
