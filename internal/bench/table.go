package main

import (
	"errors"
	"fmt"
	"strings"
)

// A workload is a case of BenchmarkCompare: the Pod's size, the store, and the number of
// requests.
type workload struct {
	pod, store string
	secrets    int
}

func (w workload) name() string {
	return fmt.Sprintf("pod=%s/store=%s/secrets=%d", w.pod, w.store, w.secrets)
}

// size describes the Pod's size.
func (w workload) size() string {
	containers, variables, _ := strings.Cut(w.pod, "x")
	plural := "s"
	if containers == "1" {
		plural = ""
	}
	return fmt.Sprintf("%s container%s of %s variables", containers, plural, variables)
}

// forms describes how the secrets of each store are served.
var forms = map[string]string{
	"k8s": "variables from Kubernetes Secrets", "k8s-file": "files from Kubernetes Secrets", "vault": "files from Vault",
	"aws": "files from AWS, a container for each", "fetched": "files that one container fetches",
}

func (w workload) requests() string { return fmt.Sprintf("%d %s", w.secrets, forms[w.store]) }

var workloads = []workload{
	{"1x15", "k8s", 3}, {"1x15", "k8s-file", 3}, {"1x15", "vault", 3}, {"1x15", "aws", 3},
	{"10x50", "k8s", 3}, {"10x50", "k8s-file", 3}, {"10x50", "vault", 3}, {"10x50", "aws", 3},
	{"1x15", "k8s", 100}, {"1x15", "k8s-file", 100}, {"1x15", "vault", 100}, {"1x15", "fetched", 100},
}

// noRequests are the workloads of Pods without requests.
var noRequests = []workload{{"1x15", "k8s", 0}, {"10x50", "k8s", 0}}

const headings = "| Pod | asks for | times `json.Valid`, alone | with collections | allocations | times faster than by diff | times faster than the usual way | reviewed again |\n" +
	"|---|---|---|---|---|---|---|---|\n"

const headingsNoRequests = "\n| Pod that asks for nothing | times `json.Valid`, alone | with collections | allocations |\n|---|---|---|---|\n"

// tables returns the tables in Markdown.
func (m measurements) tables() (string, error) {
	var b strings.Builder
	var errs []error
	get := func(w workload, unit string) float64 {
		value, err := m.median(w, unit)
		errs = append(errs, err)
		return value
	}
	b.WriteString(headings)
	for _, w := range workloads {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.0f | %s | %s | %s |\n", w.size(), w.requests(),
			figure(1/get(w, "valid-alone")), figure(1/get(w, "valid")), get(w, "allocs"), figure(get(w, "by-diff")), figure(get(w, "usual")), figure(get(w, "again")))
	}
	b.WriteString(headingsNoRequests)
	for _, w := range noRequests {
		fmt.Fprintf(&b, "| %s | %s | %s | %.0f |\n", w.size(), figure(1/get(w, "valid-alone")), figure(1/get(w, "valid")), get(w, "allocs"))
	}
	return b.String(), errors.Join(errs...)
}

// figure formats a ratio with about as many digits as the measurement justifies.
func figure(ratio float64) string {
	switch {
	case ratio < 2:
		return fmt.Sprintf("%.2f", ratio)
	case ratio < 10:
		return fmt.Sprintf("%.1f", ratio)
	}
	return fmt.Sprintf("%.0f", ratio)
}
