// Package reader is what a container of a test does: it looks for secrets as
// Flyte's client does, and reports all that it sees.
package reader

// Report is what a container sees. Contents are in base64, as Go's JSON has them.
type Report struct {
	Args   []string          `json:"args"`
	UID    int               `json:"uid"`
	GID    int               `json:"gid"`
	Groups []int             `json:"groups"`
	UIDMap string            `json:"uidMap"`
	Env    map[string][]byte `json:"env"`
	Files  map[string][]byte `json:"files"` // of all volumes
	Modes  map[string]string `json:"modes"`
	Errs   map[string]string `json:"errs"`   // of files that cannot be read
	Mounts map[string]string `json:"mounts"` // options and type, by the path
	Root   string            `json:"root"`   // why nothing can be written to the root
	Asked  []Answer          `json:"asked"`  // what Flyte's client returns, in the order of the questions
}
