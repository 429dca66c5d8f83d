package main

import (
	"errors"
	"fmt"
	"strings"
)

// A workload is one of BenchmarkCompare: the size of a Pod, who serves it, and how
// many secrets it asks for.
type workload struct {
	pod, store string
	secrets    int
}

func (w workload) name() string {
	return fmt.Sprintf("pod=%s/store=%s/secrets=%d", w.pod, w.store, w.secrets)
}

// size says how large the Pod is.
func (w workload) size() string {
	containers, variables, _ := strings.Cut(w.pod, "x")
	plural := "s"
	if containers == "1" {
		plural = ""
	}
	return fmt.Sprintf("%s container%s of %s variables", containers, plural, variables)
}

// kinds are what the secrets of each store become.
var kinds = map[string]string{
	"k8s": "variables from Kubernetes Secrets", "k8s-file": "files from Kubernetes Secrets", "vault": "files from Vault",
	"aws": "files from AWS, a container for each", "fetched": "files that one container fetches",
}

func (w workload) asks() string { return fmt.Sprintf("%d %s", w.secrets, kinds[w.store]) }

var workloads = []workload{
	{"1x15", "k8s", 3}, {"1x15", "k8s-file", 3}, {"1x15", "vault", 3}, {"1x15", "aws", 3},
	{"10x50", "k8s", 3}, {"10x50", "k8s-file", 3}, {"10x50", "vault", 3}, {"10x50", "aws", 3},
	{"1x15", "k8s", 100}, {"1x15", "k8s-file", 100}, {"1x15", "vault", 100}, {"1x15", "fetched", 100},
}

// The Pods that ask for nothing.
var nothing = []workload{{"1x15", "k8s", 0}, {"10x50", "k8s", 0}}

const headings = "| Pod | asks for | times `json.Valid` | allocations | times faster than by diff | times faster than the usual way | reviewed again |\n" +
	"|---|---|---|---|---|---|---|\n"

const headingsOfNothing = "\n| Pod that asks for nothing | times `json.Valid` | allocations |\n|---|---|---|\n"

// tables returns the tables in Markdown.
func (m measured) tables() (string, error) {
	var b strings.Builder
	var errs []error
	get := func(w workload, unit string) float64 {
		value, err := m.median(w, unit)
		errs = append(errs, err)
		return value
	}
	b.WriteString(headings)
	for _, w := range workloads {
		fmt.Fprintf(&b, "| %s | %s | %s | %.0f | %s | %s | %s |\n", w.size(), w.asks(),
			figure(1/get(w, "valid")), get(w, "allocs"), figure(get(w, "by-diff")), figure(get(w, "usual")), figure(get(w, "again")))
	}
	b.WriteString(headingsOfNothing)
	for _, w := range nothing {
		fmt.Fprintf(&b, "| %s | %s | %.0f |\n", w.size(), figure(1/get(w, "valid")), get(w, "allocs"))
	}
	return b.String(), errors.Join(errs...)
}

// figure returns a ratio with about as many digits as it was measured with.
func figure(ratio float64) string {
	switch {
	case ratio < 2:
		return fmt.Sprintf("%.2f", ratio)
	case ratio < 10:
		return fmt.Sprintf("%.1f", ratio)
	}
	return fmt.Sprintf("%.0f", ratio)
}
