package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// measurements are the results by workload and unit. A workload has the benchmark's name,
// such as "pod=1x15/store=k8s/secrets=3".
type measurements map[string]map[string][]float64

// read reads the output of BenchmarkCompare, from one or several counts. A line is a name,
// a count, and values with their units.
func read(in io.Reader) (measurements, error) {
	m := measurements{}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 {
			continue
		}
		name, ok := strings.CutPrefix(fields[0], "BenchmarkCompare/")
		if !ok || len(fields) < 4 {
			continue
		}
		if dash := strings.LastIndexByte(name, '-'); dash > strings.LastIndexByte(name, '=') {
			name = name[:dash] // the number of processors
		}
		if m[name] == nil {
			m[name] = map[string][]float64{}
		}
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %q is not a number", name, fields[i])
			}
			m[name][fields[i+1]] = append(m[name][fields[i+1]], value)
		}
	}
	return m, lines.Err()
}

// median returns the median result of a workload in a unit.
func (m measurements) median(w workload, unit string) (float64, error) {
	values := slices.Sorted(slices.Values(m[w.name()][unit]))
	if len(values) == 0 {
		return 0, fmt.Errorf("%s has no result in %s", w.name(), unit)
	}
	return values[len(values)/2], nil
}
