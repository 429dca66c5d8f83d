//go:build linux

package reader

import (
	"os"
	"strings"
)

// New returns a report of the container that it runs in.
func New(args []string, questions []Question) (*Report, error) {
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
	for _, q := range questions {
		s.Asked = append(s.Asked, q.ask(os.LookupEnv, os.ReadFile))
	}
	return s, nil
}
