// Package programs knows where the programs of a node are.
package programs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Foreign are those that are not built here. Script debian.sh brings them.
var Foreign = []string{"containerd", "containerd-shim-runc-v2", "ctr", "runc", "busybox"}

// Path returns the folders in which programs are looked for, as $PATH lists them:
// $NODE_PATH, what debian.sh unpacked in the folder bin, and the machine's own.
func Path(bin string) string {
	debian := filepath.Join(bin, "debian")
	path := ""
	for _, folder := range []string{
		os.Getenv("NODE_PATH"), filepath.Join(debian, "usr/bin"), filepath.Join(debian, "usr/sbin"), filepath.Join(debian, "bin"),
		os.Getenv("PATH"), "/usr/sbin", "/usr/bin", "/sbin", "/bin",
	} {
		if folder != "" {
			path += string(filepath.ListSeparator) + folder
		}
	}
	return path[1:]
}

// Find returns the file of a program.
func Find(bin, name string) (string, error) {
	for _, folder := range filepath.SplitList(bin + string(filepath.ListSeparator) + filepath.Dir(bin) + string(filepath.ListSeparator) + Path(bin)) {
		file := filepath.Join(folder, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file, nil
		}
	}
	return "", fmt.Errorf(`there is no program %s: run "make node" in the root of the repository`, name)
}

// Missing returns an error that names the foreign programs that are not there.
func Missing(bin string) error {
	var names []string
	for _, name := range Foreign {
		if _, err := Find(bin, name); err != nil {
			names = append(names, name)
		}
	}
	if names != nil {
		return fmt.Errorf("there is no %s", strings.Join(names, ", no "))
	}
	return nil
}
