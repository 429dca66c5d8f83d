package main

import (
	"context"
	"errors"
	"fmt"

	"gomodules.xyz/jsonpatch/v2"

	"github.com/podsecrets/podsecrets/examples/inject/internal/manifest"
	"github.com/podsecrets/podsecrets/examples/inject/internal/yamledit"
	"github.com/podsecrets/podsecrets/secret"
)

// action decides how to change a Pod. It returns operations on the Pod's object.
type action func(context.Context, manifest.Pod) (change, []yamledit.Operation, error)

// tool applies an action to all Pods of all sources.
type tool struct {
	act      action
	kinds    manifest.Kinds
	requests []secret.Request // of flags
	skip     severity         // of what would be skipped
	output   string
	progress progress

	notes  []note
	pods   int
	unread bool // some input could not be read, and may have Pods
}

func (t *tool) note(n note) { t.notes = append(t.notes, n) }

// failed reports whether there is an error among the notes.
func (t *tool) failed() bool {
	for _, n := range t.notes {
		if n.severity == failure {
			return true
		}
	}
	return false
}

// run processes all sources. Errors become notes, and processing continues.
func (t *tool) run(ctx context.Context, sources []*source) {
	for _, s := range sources {
		for d, err := range yamledit.Read(s.text) {
			t.progress.step(s.name)
			if err != nil {
				t.unread = true
				t.notes = append(t.notes, notesOf(err, note{severity: failure, file: s.name}, nil)...)
				continue
			}
			t.document(ctx, s, d)
		}
	}
	t.progress.end()
	if t.pods == 0 && !t.unread {
		for _, req := range t.requests {
			t.note(note{severity: t.skip, text: fmt.Sprintf("no manifest has a Pod for -request %q", req.Text())})
		}
	}
}

func (t *tool) document(ctx context.Context, s *source, d *yamledit.Document) {
	objects, errs := t.kinds.Objects(d.Value)
	for _, err := range errs {
		t.unread = true
		var placed *manifest.Error
		errors.As(err, &placed)
		n := notesOf(err, note{severity: failure, file: s.name}, d)[0]
		if placed.Object != "" {
			n.text = placed.Object + ": " + n.text
		}
		t.note(n)
	}
	v := d.Value
	for _, o := range objects {
		changed := t.object(ctx, s, d, o)
		if changed == o.Value {
			continue
		}
		var err error
		if v, err = v.Patch(yamledit.Operation{Op: "replace", Path: o.Pointer, Value: changed}); err != nil {
			t.note(note{failure, s.name, lineOf(d, o.Pointer), o, "", err.Error()})
			return
		}
	}
	if v != d.Value && (t.output == outputYAML || t.output == outputDiff) {
		t.edit(s, d, v)
	}
	if t.output == outputJSON {
		appendIndented(&s.json, v)
	}
}

// object returns the object's new Value.
func (t *tool) object(ctx context.Context, s *source, d *yamledit.Document, o manifest.Object) *yamledit.Value {
	of := note{severity: failure, file: s.name, object: o, line: lineOf(d, o.Pointer)}
	for _, err := range t.kinds.Skipped(o) {
		n := of
		n.severity = t.skip
		t.notes = append(t.notes, notesOf(err, n, d)...)
	}
	pods := t.kinds.Pods(o)
	if len(pods) == 0 && t.kinds.Known(o) && len(t.requests) > 0 {
		of.severity, of.text = t.skip, "has no Pod template at "+t.kinds.Places(o)
		t.note(of)
	}
	v := o.Value
	for _, pod := range pods {
		t.pods++
		c, operations, err := t.act(ctx, pod.In(v))
		if err == nil && len(operations) > 0 {
			v, err = v.Patch(operations...)
		}
		if err != nil {
			n := of
			n.line, n.place = lineOf(d, o.Pointer+pod.Root), manifest.Path(pod.Root)
			t.notes = append(t.notes, notesOf(err, n, d)...)
			return o.Value
		}
		c.object, c.line, c.changed = o, of.line, len(operations) > 0
		c.object.Value = nil // to free the document
		t.keep(s, c, operations)
	}
	return v
}

// keep stores only the parts of a change that the output needs, because everything together
// can take more memory than the documents.
func (t *tool) keep(s *source, c change, operations []yamledit.Operation) {
	switch t.output {
	case outputPatch:
		for _, op := range operations {
			c.operations = append(c.operations, jsonpatch.Operation{Operation: op.Op, Path: op.Path, Value: op.Value})
		}
		c.placements = nil
	case outputPlan, outputList:
	default:
		return
	}
	s.changes = append(s.changes, c)
}

// edit records the edits that give the document the Value v.
func (t *tool) edit(s *source, d *yamledit.Document, v *yamledit.Value) {
	edits, rewrites, err := d.Edit(v)
	if err != nil {
		t.note(note{severity: failure, file: s.name, line: lineOf(d, ""), text: fmt.Sprintf("cannot be written back: %v; -o json can", err)})
		return
	}
	s.edits = append(s.edits, edits...)
	for _, r := range rewrites {
		t.note(note{severity: info, file: s.name, line: d.Line(r.Offset), text: fmt.Sprintf("%s is rewritten: %s", r.Path, r.Reason)})
	}
}
