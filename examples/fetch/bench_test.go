package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkColdStart measures the program, built as its image has it: from its
// start to the first request for a secret, to its end with a hundred secrets, and
// its memory. README.md has the figures.
func BenchmarkColdStart(b *testing.B) {
	program := filepath.Join(b.TempDir(), "fetch")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, ".") // #nosec G204 -- fixed
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	require.NoError(b, build.Run())
	info, err := os.Stat(program)
	require.NoError(b, err)
	for _, s := range fakeStores {
		b.Run(s.store, func(b *testing.B) {
			c := newCloud(b)
			var items []item
			for i := range 100 {
				name := fmt.Sprintf("secret-%d", i)
				c.put(name, answer{value: canary})
				items = append(items, item{ID: s.prefix + name, File: "group/" + name})
			}
			env := s.env(c, "reader")
			var first, memory float64
			for b.Loop() {
				c.mu.Lock()
				c.first = time.Time{}
				c.mu.Unlock()
				v := newVolumes(b)
				size := filepath.Join(v.base, "memory")
				cmd := exec.CommandContext(b.Context(), "/usr/bin/time", "-f", "%M", "-o", size, program) // #nosec G204 -- built above
				start := time.Now()
				r := v.startItems(cmd, env, items...)
				require.Zero(b, r.code, r.stderr)
				first += c.first.Sub(start).Seconds()
				kib, err := strconv.ParseFloat(strings.TrimSpace(v.read("memory")), 64)
				require.NoError(b, err)
				memory = max(memory, kib/1024)
			}
			b.ReportMetric(first/float64(b.N)*1000, "ms-to-first")
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1000, "ms")
			b.ReportMetric(memory, "MiB-memory")
			b.ReportMetric(float64(info.Size())/(1<<20), "MiB-size")
		})
	}
}
