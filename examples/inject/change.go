package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"gomodules.xyz/jsonpatch/v2"
	patcher "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	kjson "k8s.io/apimachinery/pkg/util/json"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/secret"
)

// change is what one object gains.
type change struct {
	object
	placements []injector.Placement
	patch      []jsonpatch.Operation // paths from the object's root
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
	var pod corev1.Pod
	if err := kjson.Unmarshal(o.pod, &pod); err != nil {
		return c, err
	}
	reqs, err := secret.DecodeAnnotations(pod.Annotations)
	if err != nil {
		return c, err
	}
	// A template's Pods are made in its owner's namespace, whatever it says
	// itself. The library's patches never touch the namespace.
	pod.Namespace = o.Metadata.Namespace
	p, err := in.Plan(ctx, &pod, append(reqs, flags...)...)
	if err != nil {
		return c, err
	}
	c.placements = p.Placements
	c.patch, err = withMetadata(o.pod, p.Patch())
	for i := range c.patch {
		c.patch[i].Path = o.place + c.patch[i].Path
	}
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

// apply returns the document with the changes of the objects in it, or nil if
// there is nothing to change.
func apply(doc json.RawMessage, changes []change) (json.RawMessage, error) {
	var all []jsonpatch.Operation
	for _, c := range changes {
		for _, op := range c.patch {
			op.Path = c.at + op.Path
			all = append(all, op)
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	patch, err := patcher.DecodePatch(text)
	if err != nil {
		return nil, err
	}
	return patch.Apply(doc)
}
