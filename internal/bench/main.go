// Command bench turns the output of BenchmarkCompare into the tables of
// docs/performance.md and the README's chart.
//
//	go test -run '^$' -bench Compare ./injector | bench -tables docs/performance.md -chart docs/review.svg
//
// It shows ratios within one run, because absolute times depend mostly on the machine.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	tables := flag.String("tables", "", "the `file` whose tables, between two marks, are replaced")
	chart := flag.String("chart", "", "the `file` to write the chart to, as SVG")
	flag.Parse()
	if err := run(os.Stdin, os.Stdout, *tables, *chart); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer, tables, chart string) error {
	m, err := read(in)
	if err != nil {
		return err
	}
	text, err := m.tables()
	if err != nil {
		return err
	}
	svg, err := m.chart()
	if err != nil {
		return err
	}
	fmt.Fprint(out, text)
	if tables != "" {
		if err := replace(tables, text); err != nil {
			return err
		}
	}
	if chart == "" {
		return nil
	}
	return os.WriteFile(chart, []byte(svg), 0o600)
}

// The marks around the tables.
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
