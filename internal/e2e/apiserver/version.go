package apiserver

import (
	"debug/buildinfo"
	"fmt"
	"strconv"
	"strings"
)

// Minor returns the minor version of the binary's Kubernetes: 35 for v1.35.4.
func Minor() (int, error) {
	binary, err := findBinary()
	if err != nil {
		return 0, err
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return 0, err
	}
	for _, m := range info.Deps {
		if m.Path != "k8s.io/kubernetes" {
			continue
		}
		text, _, _ := strings.Cut(strings.TrimPrefix(m.Version, "v1."), ".")
		minor, err := strconv.Atoi(text)
		if err != nil {
			return 0, fmt.Errorf("%s: version of Kubernetes: %w", binary, err)
		}
		return minor, nil
	}
	return 0, fmt.Errorf("%s is not built from Kubernetes", binary)
}
