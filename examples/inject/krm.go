package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/podsecrets/podsecrets/examples/inject/internal/yamledit"
)

// krmList is a ResourceList, the input and output of a KRM function.
type krmList struct {
	source *source
	flags  []string // of its functionConfig
}

// resourceList returns the ResourceList on standard input, or nil if the input is something
// else.
func resourceList(sources []*source) (*krmList, error) {
	if len(sources) != 1 || sources[0].name != stdinName || !bytes.Contains(sources[0].text, []byte("ResourceList")) {
		return nil, nil
	}
	d := firstDocument(sources[0])
	if d == nil || !isResourceList(d.Value) {
		return nil, nil
	}
	flags, err := functionFlags(d.Value.Get("functionConfig"))
	if err != nil {
		return nil, fmt.Errorf("functionConfig: %w", err)
	}
	return &krmList{sources[0], flags}, nil
}

// arguments returns the flags of functionConfig followed by those of the command line.
func (l *krmList) arguments(args []string) []string {
	if len(args) > 0 && commands[args[0]] != nil {
		return slices.Concat(args[:1], l.flags, args[1:])
	}
	return slices.Concat(l.flags, args)
}

func firstDocument(s *source) *yamledit.Document {
	for d, err := range yamledit.Read(s.text) {
		if err != nil {
			return nil // reported later, with the document
		}
		return d
	}
	return nil
}

func isResourceList(v *yamledit.Value) bool {
	apiVersion, _ := v.Get("apiVersion").Text()
	kind, _ := v.Get("kind").Text()
	return strings.HasPrefix(apiVersion, "config.kubernetes.io/") && kind == "ResourceList"
}

// functionFlags returns the flags in a functionConfig: in data for a ConfigMap, otherwise in
// spec. Each flag has a value or a list of values. A string with several lines is also a
// list, because a ConfigMap can only hold strings.
func functionFlags(config *yamledit.Value) (flags []string, err error) {
	settings := config.Get("spec")
	if settings == nil {
		settings = config.Get("data")
	}
	for _, f := range settings.Fields() {
		values := []*yamledit.Value{f.Value}
		if f.Value.IsList() {
			values = f.Value.Items()
		}
		for _, v := range values {
			text, ok := v.Text()
			switch {
			case ok:
				for line := range strings.Lines(text) {
					if line = strings.TrimSpace(line); line != "" {
						flags = append(flags, "-"+f.Name+"="+line)
					}
				}
			case v.IsBool():
				flags = append(flags, "-"+f.Name+"="+string(v.AppendJSON(nil)))
			default:
				return nil, fmt.Errorf("%s is %s, not a string, a boolean or a list of strings", f.Name, v.What())
			}
		}
	}
	for _, flag := range flags {
		if name, _, _ := strings.Cut(flag[1:], "="); name == "w" || name == "o" || name == "check" || name == "R" {
			return nil, errors.New("flag -" + name + " is not available in functions")
		}
	}
	return flags, nil
}

// finish writes the list with its results, which orchestrators show.
func (l *krmList) finish(t *tool, stderr io.Writer, out *bytes.Buffer) (exit int, err error) {
	for _, n := range t.notes {
		fmt.Fprintln(stderr, "inject: "+n.String())
	}
	if t.failed() {
		l.source.edits, exit = nil, exitFailed
	}
	// The edited list is read again to append the results.
	d := firstDocument(&source{text: l.source.edited()})
	if d == nil {
		return exitFailed, nil // the notes say why
	}
	v := d.Value
	if len(t.notes) > 0 {
		results := yamledit.NewList()
		for _, n := range t.notes {
			results = yamledit.NewList(append(results.Items(), n.result(d.Value))...)
		}
		if v, err = v.Patch(yamledit.Operation{Op: "add", Path: "/results", Value: results}); err != nil {
			return exitFailed, err
		}
	}
	edits, _, err := d.Edit(v)
	if err != nil {
		return exitFailed, err
	}
	out.Write(yamledit.Apply(d.File, 0, len(d.File), edits))
	return exit, nil
}

// result returns the note as an entry of results.
func (n note) result(list *yamledit.Value) *yamledit.Value {
	field := func(name, text string) yamledit.Field {
		return yamledit.Field{Name: name, Value: yamledit.NewText(text)}
	}
	fields := []yamledit.Field{field("message", n.text), field("severity", string(n.severity))}
	if n.object.Kind != "" {
		ref := []yamledit.Field{field("apiVersion", n.object.APIVersion), field("kind", n.object.Kind), field("name", n.object.Name)}
		if n.object.Namespace != "" {
			ref = append(ref, field("namespace", n.object.Namespace))
		}
		fields = append(fields, yamledit.Field{Name: "resourceRef", Value: yamledit.NewObject(ref...)})
		annotations := list.Pointer(n.object.Pointer + "/metadata/annotations")
		for _, name := range []string{"internal.config.kubernetes.io/path", "config.kubernetes.io/path"} {
			if path, ok := annotations.Get(name).Text(); ok {
				fields = append(fields, yamledit.Field{Name: "file", Value: yamledit.NewObject(field("path", path))})
				break
			}
		}
	}
	if n.place != "" {
		fields = append(fields, yamledit.Field{Name: "field", Value: yamledit.NewObject(field("path", n.place))})
	}
	return yamledit.NewObject(fields...)
}
