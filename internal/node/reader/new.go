//go:build linux

package reader

import (
	"os"
	"strings"
)

// New returns a report about its container.
func New(args []string, calls []Call) (*Report, error) {
	s := &Report{
		Args: args, UID: os.Getuid(), GID: os.Getgid(),
		Env: map[string][]byte{}, Files: map[string][]byte{}, Modes: map[string]string{}, Errs: map[string]string{}, Mounts: map[string]string{},
	}
	s.Groups, _ = os.Getgroups()
	uids, _ := os.ReadFile("/proc/self/uid_map")
	s.UIDMap = strings.Join(strings.Fields(string(uids)), " ")
	for _, e := range os.Environ() {
		name, value, _ := strings.Cut(e, "=")
		s.Env[name] = []byte(value)
	}
	if err := os.WriteFile("/written", nil, 0o600); err != nil {
		s.Root = err.Error()
	}
	if err := s.walkVolumes(); err != nil {
		return nil, err
	}
	for _, c := range calls {
		s.Results = append(s.Results, c.run(os.LookupEnv, os.ReadFile))
	}
	return s, nil
}
