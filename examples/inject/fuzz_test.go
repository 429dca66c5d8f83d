package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/podsecrets/podsecrets/examples/inject/internal/manifest"
)

// FuzzRun: whatever the manifest, all output forms either succeed, or show
// nothing but one line; and what was injected once stays as it is.
func FuzzRun(f *testing.F) {
	for _, tc := range goldenCases {
		f.Add(tc.stdin)
	}
	for kind, shapes := range manifest.Known() {
		text, _ := object(f, kind, shapes)
		f.Add(text)
	}
	samples, err := filepath.Glob("samples/*")
	samples = append(samples, "../../injector/testdata/every-field-pod.json")
	if err != nil || len(samples) == 1 {
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
			case got.exit == 0:
			case got.exit == 1 && got.stdout == "" && strings.HasPrefix(got.stderr, "inject: ") && strings.HasSuffix(got.stderr, "\n"):
			default:
				t.Fatalf("%q: -o %s: %v", manifest, name, got)
			}
			if got.exit == 0 && (name == "yaml" || name == "json") {
				if again := runOn(got.stdout, "-o", name, askVariable, askFile); again != (outcome{0, got.stdout, ""}) {
					t.Fatalf("%q: -o %s: %v\nand again: %v", manifest, name, got, again)
				}
			}
		}
	})
}

// FuzzRequest: what -request takes, it takes again when written anew.
func FuzzRequest(f *testing.F) {
	for _, s := range []string{"", "group=g,key=k", "group=g,key=k,version=v,mount=FILE,env=X", `"key=a,b"`, `key="a"`, `"key=a""b"`, "key=k,path=a/b,field=f,mode=0400,container=c", "key=a=b", "key=a\nkey=b", "key=a\r\n", "key=,", "mount=file", "key=\x00", "key=../x", "#key=a", " key=a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		req, err := parseRequest(s)
		if err != nil {
			return
		}
		if err := req.Validate(); err != nil {
			t.Fatalf("%q is not valid: %v", s, err)
		}
		if again, err := parseRequest(req.Text()); err != nil || again != req {
			t.Errorf("%q is %v; written anew, %q, it is %v: %v", s, req, req.Text(), again, err)
		}
	})
}
