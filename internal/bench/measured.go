package main

import (
	"fmt"
	"io"
	"slices"

	"golang.org/x/perf/benchfmt"
)

// measured is what was measured of each benchmark, by name, such as
// "Review/pod=1x15/manager=k8s/secrets=3", and by unit.
type measured map[string]map[string][]float64

func read(in io.Reader) (measured, error) {
	m := measured{}
	for r := benchfmt.NewReader(in, "standard input"); r.Scan(); {
		switch line := r.Result().(type) {
		case *benchfmt.SyntaxError:
			return nil, line
		case *benchfmt.Result:
			base, parts := line.Name.Parts()
			full := string(base)
			for _, part := range parts {
				if part[0] == '/' { // rather than the number of processors
					full += string(part)
				}
			}
			if m[full] == nil {
				m[full] = map[string][]float64{}
			}
			for _, v := range line.Values {
				m[full][v.Unit] = append(m[full][v.Unit], v.Value)
			}
		}
	}
	return m, nil
}

// least returns the least of what was measured: what else a machine does only
// adds to it.
func (m measured) least(name, unit string) (float64, error) {
	values := m[name][unit]
	if len(values) == 0 {
		return 0, fmt.Errorf("%s was not measured in %s", name, unit)
	}
	return slices.Min(values), nil
}

// ratio returns how many times more one took than the other.
func (m measured) ratio(name, to, unit string) (float64, error) {
	a, err := m.least(name, unit)
	if err != nil {
		return 0, err
	}
	b, err := m.least(to, unit)
	if err != nil {
		return 0, err
	}
	return a / b, nil
}
