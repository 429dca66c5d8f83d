package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzRun: whatever the manifest, all output forms either succeed, or show
// nothing but one line; and what was injected once stays as it is.
func FuzzRun(f *testing.F) {
	for _, tc := range goldenCases {
		f.Add(tc.stdin)
	}
	for k, place := range places {
		f.Add(manifest(k, place, unknownPod))
	}
	samples, err := filepath.Glob("samples/*")
	if err != nil || len(samples) == 0 {
		f.Fatal("no samples", err)
	}
	for _, sample := range samples {
		text, err := os.ReadFile(sample)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, manifest string) {
		for name := range writers {
			got := runOn(manifest, "-o", name, askVariable, askFile)
			switch {
			case got.exit == 0 && got.stderr == "":
			case got.exit == 1 && got.stdout == "" && strings.Count(got.stderr, "\n") == 1 && strings.HasSuffix(got.stderr, "\n"):
			default:
				t.Fatalf("%q: -o %s: %v", manifest, name, got)
			}
			if got.exit == 0 && (name == "yaml" || name == "json") {
				if again := runOn(got.stdout, "-o", name, askVariable, askFile); again != got {
					t.Fatalf("%q: -o %s: %v\nand again: %v", manifest, name, got, again)
				}
			}
		}
	})
}
