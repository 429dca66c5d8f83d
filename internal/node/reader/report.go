// Package reader is the program of a test's container: it looks for secrets as Flyte's
// client does, and reports everything that it sees.
package reader

// Report is what a container sees. Contents are in base64, as in Go's JSON.
type Report struct {
	Args    []string          `json:"args"`
	UID     int               `json:"uid"`
	GID     int               `json:"gid"`
	Groups  []int             `json:"groups"`
	UIDMap  string            `json:"uidMap"`
	Env     map[string][]byte `json:"env"`
	Files   map[string][]byte `json:"files"` // of all volumes
	Modes   map[string]string `json:"modes"`
	Errs    map[string]string `json:"errs"`    // of unreadable files
	Mounts  map[string]string `json:"mounts"`  // options and type, by path
	Root    string            `json:"root"`    // the error of writing to the root directory
	Results []Result          `json:"results"` // of Flyte's client, in the order of the calls
}
