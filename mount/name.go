package mount

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// namePrefix starts every name that the library generates.
const namePrefix = "podsecrets-"

// How many bytes of the hash a name shows. A Pod whose author finds two
// requests with one hash among 2^80 gets a ConflictError.
const nameHash = 10

// Name returns the name of something that a manager adds to a Pod, such as a
// volume or an init container: "podsecrets-" and a short hash of the parts. It
// is a DNS label of 31 characters whatever the parts hold (Kubernetes allows
// 63), and differs whenever a part differs. By this name, what was added before
// is recognized when a Pod is injected again.
//
// Give it what the thing is for: the manager's name, then the secret as the
// store names it, then the file that is written. Leave out what may change in a
// later version of the configuration, such as the image: a Pod that was injected
// before would get a second container for the same file. A container or volume
// that all secrets of a manager share has the manager's name and a word for it.
func Name(parts ...string) string {
	all := make([]byte, 0, 256)
	for _, p := range parts {
		// With its length before it, no part can run into the next.
		all = strconv.AppendInt(all, int64(len(p)), 10)
		all = append(append(all, ':'), p...)
	}
	sum := sha256.Sum256(all)
	name := make([]byte, 0, len(namePrefix)+2*nameHash)
	return string(hex.AppendEncode(append(name, namePrefix...), sum[:nameHash]))
}

// IsName reports whether s is of the form that Name returns.
func IsName(s string) bool {
	hash, ok := strings.CutPrefix(s, namePrefix)
	return ok && len(hash) == 2*nameHash && strings.Trim(hash, "0123456789abcdef") == ""
}
