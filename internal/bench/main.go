// Command bench makes of the output of this library's benchmarks the table and
// the chart that the README shows.
//
//	go test -bench ... ./injector | bench -readme README.md -chart docs/review.svg
//
// It compares what was measured in one run: how many times faster a review is
// than the usual way, and how many times longer it takes than checking that its
// bytes are JSON. Times themselves say more of the machine than of the library.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
)

func main() {
	readme := flag.String("readme", "", "the `file` in which the table is replaced, between its two marks")
	chart := flag.String("chart", "", "the `file` to write the chart to, as SVG")
	flag.Parse()
	if err := run(os.Stdin, os.Stdout, *readme, *chart); err != nil {
		log.Fatal(err)
	}
}

func run(in io.Reader, out io.Writer, readme, chart string) error {
	measured, err := read(in)
	if err != nil {
		return err
	}
	table, err := measured.table()
	if err != nil {
		return err
	}
	fmt.Fprint(out, table)
	if readme != "" {
		if err := replace(readme, table); err != nil {
			return err
		}
	}
	if chart != "" {
		return measured.draw(chart)
	}
	return nil
}
