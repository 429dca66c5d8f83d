package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/podsecrets/podsecrets/examples/inject/internal/manifest"
	"github.com/podsecrets/podsecrets/examples/inject/internal/yamledit"
)

// For any manifest, each form of output either succeeds or prints one line. Injection is
// idempotent.
func FuzzRun(f *testing.F) {
	addManifests(f)
	f.Fuzz(testRun)
}

// addManifests adds the manifests of all tests.
func addManifests(f *testing.F) {
	for _, tc := range slices.Concat(goldenCases, errorCases, gitopsCases) {
		f.Add(tc.stdin)
	}
	for kind, shapes := range manifest.Known() {
		text, _ := object(f, kind, shapes)
		f.Add(text)
	}
	samples, err := filepath.Glob("samples/*")
	corpus, errCorpus := filepath.Glob("testdata/corpus/*")
	samples = append(append(samples, corpus...), "../../injector/testdata/every-field-pod.json")
	if err != nil || errCorpus != nil || len(samples) < 2 {
		f.Fatal("no samples", err, errCorpus)
	}
	for _, sample := range samples {
		text, err := os.ReadFile(sample)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
}

func testRun(t *testing.T, manifest string) {
	for name := range writers {
		got := runOn(manifest, "-o", name, askVariable, askFile)
		switch {
		case got.exit == 0:
		case got.exit == 1 && got.stdout == "" && strings.HasPrefix(got.stderr, "inject: ") && strings.HasSuffix(got.stderr, "\n"):
		default:
			t.Fatalf("%q: -o %s: %v", manifest, name, got)
		}
		if got.exit == 0 && (name == "yaml" || name == "json") {
			if again := runOn(got.stdout, "-o", name, askVariable, askFile); again != (outcome{0, got.stdout, again.stderr}) {
				t.Fatalf("%q: -o %s: %v\nand again: %v", manifest, name, got, again)
			}
		}
	}
}

// Injecting and removing restores the original text.
func FuzzRemove(f *testing.F) {
	addManifests(f)
	f.Fuzz(func(t *testing.T, text string) {
		was := runOn(text, "remove", "-skip-unknown", askVariable, askFile)
		injected := runOn(text, "-skip-unknown", askVariable, askFile)
		if was != (outcome{0, text, was.stderr}) || injected.exit != 0 || strings.Contains(injected.stderr, "rewritten") || hasEmptyPart(text) {
			return // it already has injected parts, or is not a manifest
		}
		again := runOn(injected.stdout, "remove", "-skip-unknown", askVariable, askFile)
		if again != (outcome{0, text, again.stderr}) {
			t.Fatalf("%q: injected\n%s\nand removed again: %v", text, injected.stdout, again)
		}
	})
}

// hasEmptyPart reports whether the text has empty lists or objects, which disappear when
// something is added and removed again.
func hasEmptyPart(text string) (found bool) {
	var walk func(v *yamledit.Value)
	walk = func(v *yamledit.Value) {
		for _, f := range v.Fields() {
			isPart := slices.Contains([]string{"metadata", "annotations", "labels", "spec", "volumes", "env", "volumeMounts", "initContainers"}, f.Name)
			found = found || isPart && len(f.Value.Fields())+len(f.Value.Items()) == 0
			walk(f.Value)
		}
		for _, item := range v.Items() {
			walk(item)
		}
	}
	for d, err := range yamledit.Read([]byte(text)) {
		if err == nil {
			walk(d.Value)
		}
	}
	return found
}

// A request's text form parses to the same request.
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
			t.Errorf("%q is %v; its text form %q is %v: %v", s, req, req.Text(), again, err)
		}
	})
}
