package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// A workload is a row of the table: the reviews that have a budget.
type workload struct {
	pod, manager   string
	secrets        int
	allocs         float64 // at most
	faster, aimFor float64 // than the usual way, at least and hoped for
}

var workloads = []workload{
	{"1x15", "k8s", 3, 130, 4, 8},
	{"1x15", "vault", 3, 170, 4, 7},
	{"1x15", "aws", 3, 190, 4, 7},
	{"10x50", "k8s", 3, 300, 7, 12},
	{"1x15", "k8s", 100, 1900, 2.5, 5},
	{"1x15", "aws", 100, 3500, 4, 7},
}

func (w workload) name() string {
	return fmt.Sprintf("/pod=%s/manager=%s/secrets=%d", w.pod, w.manager, w.secrets)
}

func (w workload) title() string {
	return fmt.Sprintf("%s, %d secrets, %s", strings.Replace(w.pod, "x", " × ", 1), w.secrets, w.manager)
}

const heading = `| Review of a Pod (containers × variables) | Allocations | Times faster than by diff | Of its bytes allocated | Times json.Valid | Reviewed again |
|---|---|---|---|---|---|
`

// table returns the table in Markdown.
func (m measured) table() (string, error) {
	var b strings.Builder
	var errs []error
	number := func(n float64, err error) float64 {
		errs = append(errs, err)
		return n
	}
	b.WriteString(heading)
	for _, w := range workloads {
		review, diff, again := "Review"+w.name(), "ReviewByDiff"+w.name(), "ReviewAgain"+w.name()
		fmt.Fprintf(&b, "| %s | %.0f of %.0f | %.1f (at least %g, aim %g) | 1/%.0f | %.1f | %.1f |\n",
			w.title(),
			number(m.least(review, "allocs/op")), w.allocs,
			number(m.ratio(diff, review, "sec/op")), w.faster, w.aimFor,
			number(m.ratio(diff, review, "B/op")),
			number(m.ratio(review, "Valid"+w.name(), "sec/op")),
			number(m.ratio(again, review, "sec/op")))
	}
	for _, pod := range []string{"1x15", "10x50"} {
		nothing := "ReviewNothing/pod=" + pod
		fmt.Fprintf(&b, "| %s, asks for nothing | %.0f | | | %.1f (at most 3) | |\n", strings.Replace(pod, "x", " × ", 1),
			number(m.least(nothing, "allocs/op")), number(m.ratio(nothing, "ValidNothing/pod="+pod, "sec/op")))
	}
	return b.String(), errors.Join(errs...)
}

// The marks between which the table stands in the README.
const begin, end = "<!-- bench -->\n", "<!-- /bench -->\n"

func replace(file, table string) error {
	text, err := os.ReadFile(file) // #nosec G304 -- the file that the flag names
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no %q and %q", file, begin, end)
	}
	return os.WriteFile(file, []byte(before+begin+table+end+after), 0o600)
}
