package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"gomodules.xyz/jsonpatch/v2"
	patcher "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kjson "k8s.io/apimachinery/pkg/util/json"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/secret"
)

// change is what one object gains.
type change struct {
	object
	placements []injector.Placement
	patch      []jsonpatch.Operation // paths from the object's root
	patched    json.RawMessage       // nil if the patch is empty
}

// inject decides what each object in the document gains, and puts the new ones
// in the place of the old.
func (d *document) inject(ctx context.Context, in *injector.Injector, reqs []secret.Request) error {
	if d.empty() {
		return nil
	}
	var replace []jsonpatch.Operation
	err := find(d.json, "", header{}, func(o object) error {
		c, err := plan(ctx, in, reqs, o)
		if err != nil {
			return err
		}
		d.changes = append(d.changes, c)
		if c.patched != nil {
			replace = append(replace, jsonpatch.NewOperation("replace", o.at, c.patched))
		}
		return nil
	})
	if err == nil {
		d.patched, err = apply(d.json, replace)
	}
	if err != nil {
		return d.errorf("%w", err)
	}
	return nil
}

// plan asks the library what the object gains. The typed Pod that it decodes
// for that lacks the fields which this build does not know, so it is not what
// is written: the patch is applied to the object as it was read.
func plan(ctx context.Context, in *injector.Injector, flags []secret.Request, o object) (change, error) {
	c := change{object: o}
	if o.pod == nil {
		if len(flags) > 0 {
			return c, fmt.Errorf("there is no pod template at %s", o.place)
		}
		return c, nil
	}
	var meta metav1.PartialObjectMetadata
	if err := kjson.Unmarshal(o.pod, &meta); err != nil {
		return c, err
	}
	reqs, err := secret.DecodeAnnotations(meta.Annotations)
	if reqs = append(reqs, flags...); err != nil || len(reqs) == 0 {
		return c, err // without requests, the rest may be what this build cannot decode
	}
	var pod corev1.Pod
	if err := kjson.Unmarshal(o.pod, &pod); err != nil {
		return c, err
	}
	// A template's Pods are made in its owner's namespace, whatever it says
	// itself. The library's patches never touch the namespace.
	pod.Namespace = o.Metadata.Namespace
	p, err := in.Plan(ctx, &pod, reqs...)
	if err != nil {
		return c, err
	}
	c.placements = p.Placements
	if c.patch, err = withMetadata(o.pod, p.Patch()); err != nil {
		return c, err
	}
	for i := range c.patch {
		c.patch[i].Path = o.place + c.patch[i].Path
	}
	c.patched, err = apply(o.raw, c.patch)
	return c, err
}

// withMetadata puts in front of the patch what makes it apply to a Pod that has
// no metadata, as templates often do. The typed Pod always has.
func withMetadata(pod json.RawMessage, patch []jsonpatch.Operation) ([]jsonpatch.Operation, error) {
	metadata, err := lookUp(pod, "/metadata")
	if err != nil || metadata != nil {
		return patch, err
	}
	for _, op := range patch {
		if strings.HasPrefix(op.Path, "/metadata/") {
			create := jsonpatch.NewOperation("add", "/metadata", map[string]string{})
			return append([]jsonpatch.Operation{create}, patch...), nil
		}
	}
	return patch, nil
}

// apply returns what the operations make of raw, or nil without any.
func apply(raw json.RawMessage, operations []jsonpatch.Operation) (json.RawMessage, error) {
	if len(operations) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(operations)
	if err != nil {
		return nil, err
	}
	patch, err := patcher.DecodePatch(text)
	if err != nil {
		return nil, err
	}
	return patch.Apply(raw)
}
