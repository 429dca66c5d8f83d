package yamledit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	patcher "gopkg.in/evanphx/json-patch.v4"
	"sigs.k8s.io/yaml"
)

// oddLineBreak matches line breaks of YAML that editors do not know.
var oddLineBreak = regexp.MustCompile(`\r[^\n]|\r$|\x{85}|\x{2028}|\x{2029}`)

// newValues are values to add: like those of an injection, and strings that need quotes.
var newValues = []string{
	`"v"`, `"yes"`, `"=" `, `"<<"`, `"1e3"`, `""`, `"a: b"`, `"#a"`, `"a\nb"`, `"\n a\n\n"`, `"a\tb"`, `"\u2028x\u0085"`, `"---"`, `1`, `true`, `null`, `{}`, `[]`,
	`{"name":"K","valueFrom":{"secretKeyRef":{"name":"g","key":"k","optional":true}}}`,
	`[{"name":"K","value":"v"},{"name":"L","items":[{"a":"b"},[["c"]]]}]`,
	`{"a":{"b":{"c":[1,2]}}}`, `[[],{}]`,
}

// randomOperation adds a random value at a random place in v.
func randomOperation(r *rand.Rand, v *Value) (op Operation, ok bool) {
	var places []string
	var walk func(v *Value, at string)
	walk = func(v *Value, at string) {
		if v.IsObject() {
			for _, name := range []string{"zz", "yes"} {
				if v.find(name) < 0 {
					places = append(places, at+"/"+name)
				}
			}
		}
		if v.IsList() {
			places = append(places, at+"/-", fmt.Sprint(at, "/", r.IntN(len(v.Items())+1)))
		}
		for _, f := range v.Fields() {
			name := at + "/" + EscapePointer(f.Name)
			if f.Value.IsNull() {
				places = append(places, name)
			}
			walk(f.Value, name)
		}
		for i, item := range v.Items() {
			walk(item, fmt.Sprint(at, "/", i))
		}
	}
	walk(v, "")
	added, err := ParseJSON([]byte(newValues[r.IntN(len(newValues))]))
	if err != nil {
		panic(err)
	}
	if len(places) == 0 {
		return op, false
	}
	return Operation{"add", places[r.IntN(len(places))], added}, true
}

// patchJSON applies the operations with another implementation.
func patchJSON(t *testing.T, raw []byte, operations []Operation) any {
	t.Helper()
	var list []map[string]any
	for _, op := range operations {
		list = append(list, map[string]any{"op": op.Op, "path": op.Path, "value": op.Value})
	}
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	patch, err := patcher.DecodePatch(text)
	if err != nil {
		t.Fatal(err)
	}
	if raw, err = patch.Apply(raw); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return decode(t, raw)
}

func decode(t *testing.T, raw []byte) (tree any) {
	t.Helper()
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

// toJSON converts a document with kubectl's parser. Like kubectl, it adds a final line
// break.
func (d *Document) toJSON(text []byte) ([]byte, error) {
	if d.JSON {
		return text, nil
	}
	return yaml.YAMLToJSON(append(bytes.TrimSuffix(slices.Clone(text), []byte("\n")), '\n'))
}

// withoutAdded returns the text without the edits' additions. It fails unless these are
// whole lines.
func withoutAdded(t *testing.T, d *Document, edits []Edit) []byte {
	t.Helper()
	var kept []byte
	last := d.Start
	for _, e := range edits {
		if e.Start != e.End {
			t.Fatalf("%q was replaced", d.File[e.Start:e.End])
		}
		atEnd := e.Start == len(d.File) && strings.HasPrefix(strings.TrimPrefix(e.Text, "\r"), "\n")
		startsLine := lineStart(d.File, e.Start, d.Start) == e.Start
		opensItem := strings.HasPrefix(strings.TrimLeft(string(d.File[e.Start:]), " "), "-") // lines before a nested first item
		if !atEnd && !(strings.HasSuffix(e.Text, "\n") && startsLine) && !opensItem {
			t.Fatalf("%q is not whole lines", e.Text)
		}
		kept = append(kept, d.File[last:e.Start]...)
		last = e.Start
	}
	return append(kept, d.File[last:d.End]...)
}

// testAdditions adds values to all documents of a text and removes them again.
func testAdditions(t *testing.T, text string, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	for d, err := range Read([]byte(text)) {
		if err != nil || !d.Value.IsObject() {
			continue
		}
		var operations, undo []Operation
		v, exactly, wholeLines := d.Value, true, true
		for range 1 + r.IntN(4) {
			op, ok := randomOperation(r, v)
			if !ok {
				break
			}
			if strings.HasPrefix(op.Path, "/<<") {
				continue
			}
			undone, exact := inverse(v, op)
			operations, undo = append(operations, op), append([]Operation{undone}, undo...)
			exactly = exactly && exact
			wholeLines = wholeLines && !(exact == false && op.Value.isSimple())
			if v, err = v.Patch(op); err != nil {
				t.Fatal(err)
			}
		}
		edits, rewrites, err := d.Edit(v)
		if err != nil && oddLineBreak.MatchString(text) {
			continue // refused, so nothing is lost
		}
		if err != nil {
			t.Fatalf("%q: %v: %v", text, operations, err)
		}
		start, end := d.Start, d.End
		if d.JSON {
			start, end = d.Root.Start, d.Root.End
		}
		before, after := d.File[start:end], Apply(d.File, start, end, edits)
		rawBefore, errBefore := d.toJSON(before)
		rawAfter, errAfter := d.toJSON(after)
		if errBefore != nil || errAfter != nil {
			t.Fatalf("%q\n%q: %v, %v", before, after, errBefore, errAfter)
		}
		if want := patchJSON(t, rawBefore, operations); !reflect.DeepEqual(want, decode(t, rawAfter)) {
			t.Fatalf("%q\n%q\nis not %v", before, after, want)
		}
		if len(rewrites) == 0 && !d.JSON && wholeLines {
			if kept := withoutAdded(t, d, edits); !bytes.Equal(kept, before) {
				t.Fatalf("%q is not %q", kept, before)
			}
		}
		testRemoval(t, string(after), undo, string(before), exactly && len(rewrites) == 0)
	}
}

// testRemoval undoes the operations, and expects the text before if exactly is set.
func testRemoval(t *testing.T, text string, undo []Operation, before string, exactly bool) {
	t.Helper()
	for d, err := range Read([]byte(text)) {
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		v, err := d.Value.Patch(undo...)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		edits, _, err := d.Edit(v)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if after := string(Apply(d.File, 0, len(d.File), edits)); exactly && after != before {
			t.Fatalf("%q\nshould be %q\nbut is    %q", text, before, after)
		}
	}
}

// inverse returns the operation that undoes op on v. It is not exact if it leaves another
// spelling of null.
func inverse(v *Value, op Operation) (undo Operation, exact bool) {
	at := op.Path[:strings.LastIndex(op.Path, "/")]
	list := v.Pointer(at)
	switch {
	case list.IsList() && strings.HasSuffix(op.Path, "/-"):
		return Operation{Op: "remove", Path: fmt.Sprint(at, "/", len(list.Items()))}, len(list.Items()) > 0
	case list.IsList():
		return Operation{Op: "remove", Path: op.Path}, len(list.Items()) > 0
	case list.find(UnescapePointer(op.Path[len(at)+1:])) >= 0:
		return Operation{Op: "replace", Path: op.Path, Value: &Value{}}, false
	}
	return Operation{Op: "remove", Path: op.Path}, len(list.Fields()) > 0
}
