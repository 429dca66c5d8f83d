package yamledit

import (
	"os"
	"path/filepath"
	"testing"
)

// seeds are texts in every style.
var seeds = []string{
	"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: c # here\n    env: # there\n    - {name: A, value: a}\n\n# end\n",
	"a:\r\n  b:\r\n  - c\r\n  - d: |\r\n      x\r\n\r\n  # e\r\nf: 1\r\n",
	"\uFEFF# a\n---\na: &x\n  b: c\nd: *x\ne:\n  <<: *x\n  f: g\n",
	"a: {b: [1, 2,], \"c\": 'd'}\ne: [\n  1, # one\n  2\n]\n",
	"{\"a\": {\"b\": [1, 2]},\n \"c\": null}\n{\"d\": {}}\n",
	"{\n  \"a\": {\n    \"b\": [\n      1\n    ]\n  }\n}\n",
	"-   a: 1\n    b:\n        - x\n        -   y: z\n",
	"a:\n  - - b\n    - c\n  -\n    d: e\n  - ? f\n    : g\n",
	"a: >-\n  folded\n  text\n\nb: |2\n    two\n  one\nc: |+\n  keep\n\n\nd: \"x\\\n  y\"\n",
	"a: ''\nb:\nc: ~\nd: !!str 1\ne: !!binary YQ==\nf: 0x1F\ng: 1_000\nh: 1e3\ni: .5\nj: 0o7\nk: 010\n",
	"%YAML 1.1\n---\na: b\n...\n---\nc: d\n--- # e\nf: g",
	"a: b\u0085c: d\n", "a: b\u2028c: d\n", "a: b # c\rd: e\n", "---\u2028a: b\n", "--- # x\u0085a: b\n",
	"a: 1e-999999\nb: 1e999999\nc: 123456789012345678901234567890\n",
	"? a\n: b\n? [c, d]\n: e\n", "a:\n\t- b\n", "a: \"\tx\t\"\nb:\tc\n", "a:\n- b\n-\n- c: d\n  e:\n  - f\n",
	"# <<: x\na: 1\na: 2\n", "a: =\nb: <<\n", "a: {<<: {b: c}, d: e}\n", "a: [a: b, ? c, d]\n",
}

func addSeeds(f *testing.F) {
	for i, text := range seeds {
		f.Add(text, uint64(i))
	}
	files, err := filepath.Glob("../../testdata/corpus/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if len(text) < 10_000 {
			f.Add(string(text), uint64(i))
		}
	}
}

// Three properties of an edited text: another parser and another implementation of RFC 6902
// agree with its Value; without the added lines it is the original byte for byte; and
// undoing the operations restores the original.
func FuzzEdit(f *testing.F) {
	addSeeds(f)
	f.Fuzz(testAdditions)
}
