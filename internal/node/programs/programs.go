// Package programs finds the programs of a node.
package programs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Foreign are the programs that are not built here. The script debian.sh downloads
// them.
var Foreign = []string{"containerd", "containerd-shim-runc-v2", "ctr", "runc", "busybox"}

// Path returns the search path of programs in $PATH's format: $NODE_PATH, the
// directories that debian.sh unpacked below bin, and the machine's own.
func Path(bin string) string {
	debian := filepath.Join(bin, "debian")
	path := ""
	for _, dir := range []string{
		os.Getenv("NODE_PATH"), filepath.Join(debian, "usr/bin"), filepath.Join(debian, "usr/sbin"), filepath.Join(debian, "bin"),
		os.Getenv("PATH"), "/usr/sbin", "/usr/bin", "/sbin", "/bin",
	} {
		if dir != "" {
			path += string(filepath.ListSeparator) + dir
		}
	}
	return path[1:]
}

// Find returns the path of a program.
func Find(bin, name string) (string, error) {
	for _, dir := range filepath.SplitList(bin + string(filepath.ListSeparator) + filepath.Dir(bin) + string(filepath.ListSeparator) + Path(bin)) {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file, nil
		}
	}
	return "", fmt.Errorf(`program %s is missing: run "make node" in the root of the repository`, name)
}

// Missing returns an error that lists the missing foreign programs.
func Missing(bin string) error {
	var names []string
	for _, name := range Foreign {
		if _, err := Find(bin, name); err != nil {
			names = append(names, name)
		}
	}
	if names != nil {
		return fmt.Errorf("missing programs: %s", strings.Join(names, ", "))
	}
	return nil
}
