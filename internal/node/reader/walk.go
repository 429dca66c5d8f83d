//go:build linux

package reader

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// walkVolumes reads all files of the Pod's volumes.
func (s *Report) walkVolumes() error {
	raw, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(raw)) {
		fields, source, _ := strings.Cut(line, " - ")
		f := strings.Fields(fields)
		if len(f) < 6 || isSystem(f[4]) {
			continue
		}
		s.Mounts[f[4]] = f[5] + " " + strings.Fields(source)[0]
		s.walk(f[4])
	}
	return nil
}

// isSystem reports whether a mount point belongs to the system, not to a volume of the
// Pod.
func isSystem(p string) bool {
	for _, dir := range []string{"/proc", "/sys", "/dev", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/var/run/secrets/kubernetes.io"} {
		if p == "/" || p == dir || strings.HasPrefix(p, dir+"/") {
			return true
		}
	}
	return false
}

// walk reads the file p, or all files below the directory p, and follows links. It
// omits the kubelet's "..data", to which the links lead.
func (s *Report) walk(p string) {
	info, err := os.Stat(p)
	if err != nil {
		s.Errs[p] = err.Error()
		return
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		s.Modes[p] = fmt.Sprintf("%v %d:%d", info.Mode(), st.Uid, st.Gid)
	}
	switch {
	case info.Mode().IsRegular():
		content, err := os.ReadFile(p) // #nosec G304 -- a container's
		if err != nil {
			s.Errs[p] = err.Error()
			return
		}
		s.Files[p] = content
	case info.IsDir():
		entries, err := os.ReadDir(p)
		if err != nil {
			s.Errs[p] = err.Error()
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), "..") {
				s.walk(filepath.Join(p, e.Name()))
			}
		}
	}
}
