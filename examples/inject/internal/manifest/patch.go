package manifest

import (
	"encoding/json"
	"strconv"
	"strings"

	"gomodules.xyz/jsonpatch/v2"

	"github.com/podsecrets/podsecrets/examples/inject/internal/yamledit"
)

// Patch translates the library's operations on the typed Pod into operations on the object.
// It creates missing parents.
func (p Pod) Patch(operations []jsonpatch.Operation) ([]yamledit.Operation, error) {
	var out []yamledit.Operation
	for _, op := range operations {
		place, err := p.place(op.Path)
		if err != nil {
			return nil, err
		}
		raw, err := json.Marshal(op.Value)
		if err != nil {
			return nil, p.errorf(place, "%w", err)
		}
		value, err := yamledit.ParseJSON(raw)
		if err != nil {
			return nil, p.errorf(place, "%w", err)
		}
		out = append(out, yamledit.Operation{Op: op.Operation, Path: place, Value: value})
	}
	return p.WithParents(out), nil
}

// WithParents adds operations that create the missing parent objects. The library's
// operations create lists themselves.
func (p Pod) WithParents(operations []yamledit.Operation) []yamledit.Operation {
	made := make(map[string]bool)
	var out []yamledit.Operation
	for _, op := range operations {
		for i := 1; i < len(op.Path) && op.Op == "add"; i++ {
			parent := op.Path[:i]
			if op.Path[i] == '/' && !made[parent] && p.isObject(parent) && p.Object.Value.Pointer(parent).IsNull() {
				made[parent] = true
				out = append(out, yamledit.Operation{Op: "add", Path: parent, Value: yamledit.NewObject()})
			}
		}
		made[op.Path] = true
		out = append(out, op)
	}
	return out
}

// isObject reports whether a place is an object that contains parts of the Pod.
func (p Pod) isObject(place string) bool {
	for _, part := range []string{p.Annotations() + "/", p.Labels() + "/", p.volumes, p.initContainers} {
		if strings.HasPrefix(part, place+"/") {
			return true
		}
	}
	return false
}

// At returns err at the place in the object of the typed Pod's pointer, or at the Pod if the
// object has no such place.
func (p Pod) At(pointer string, err error) error {
	place, errPlace := p.place(pointer)
	if errPlace != nil {
		place = p.Root
	}
	return &Error{p.Object.String(), p.Object.Pointer + place, err}
}

// Errorf returns err at a place in the object.
func (p Pod) Errorf(pointer string, err error) error { return p.errorf(pointer, "%w", err) }

// place translates a pointer of the typed Pod into a pointer of the object.
func (p Pod) place(pointer string) (string, error) {
	if rest, ok := strings.CutPrefix(pointer, "/metadata"); ok {
		return p.metadata + rest, nil
	}
	if rest, ok := strings.CutPrefix(pointer, "/spec/volumes"); ok {
		return p.volumes + rest, nil
	}
	if rest, ok := strings.CutPrefix(pointer, "/spec/initContainers"); ok {
		if p.initContainers == "" {
			return "", p.errorf(p.Root, "needs an init container, which %s cannot have", p.Object.Kind)
		}
		return p.initContainers + rest, nil
	}
	if rest, ok := strings.CutPrefix(pointer, "/spec/containers/"); ok {
		index, field, _ := strings.Cut(rest, "/")
		if i, err := strconv.Atoi(index); err == nil && i < len(p.containers) {
			return p.containers[i] + "/" + field, nil
		}
	}
	return "", p.errorf(p.Root, "needs %s, which %s cannot have", Path(pointer), p.Object.Kind)
}
