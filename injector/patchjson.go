package injector

import (
	"context"
	"errors"
	"fmt"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/secret"
)

// PatchJSON is Patch for a Pod or Pod template in JSON, and returns the RFC
// 6902 patch as JSON. It is for unstructured objects, such as the templates in
// a custom resource. Fields that this build's k8s.io/api does not know are
// kept.
//
// An object of kind Pod is treated as a Pod. An object without kind and
// apiVersion is treated as a template, such as the field "template" of a
// Deployment. Any other kind is an error. PatchJSON does not read requests from
// the object's annotations: pass them, for example from
// secret.DecodeAnnotations.
//
// If nothing is missing, the patch is "[]". If metadata is missing or null, the
// patch creates it. The error is one of Plan's, or says what is wrong with the
// object: it is not JSON, a container is null or has no name, or two containers
// have the same name. An object with more than 3 MiB of JSON or 256 KiB of
// annotations is a *LimitError.
func (in *Injector) PatchJSON(ctx context.Context, object []byte, reqs ...secret.Request) ([]byte, error) {
	sub, err := subjectOfJSON(object)
	if err != nil {
		return nil, fmt.Errorf("injector: %w", err)
	}
	d, err := in.decide(ctx, sub, reqs)
	if err != nil {
		return nil, err
	}
	return d.edits.JSON()
}

func subjectOfJSON(object []byte) (subject, error) {
	if len(object) == 0 {
		return subject{}, errors.New("the object is empty")
	}
	if err := checkLimit(maxPod, len(object), "bytes of JSON"); err != nil {
		return subject{}, fmt.Errorf("the object has %w", err)
	}
	view, err := merge.ViewJSON(object)
	if err != nil {
		return subject{}, fmt.Errorf("the object cannot be decoded: %w", err)
	}
	if err := checkLimit(merge.MaxAnnotations, merge.SizeOf(view.Metadata.Annotations), "bytes of annotations"); err != nil {
		return subject{}, fmt.Errorf("the object has %w", err)
	}
	kind, version := view.Kind()
	template := kind == "" && version == ""
	if pod := kind == "Pod" && (version == "v1" || version == ""); !pod && !template {
		return subject{}, fmt.Errorf("kind: %.253q of %.253q is not supported: must be Pod of v1, or a pod template without kind", kind, version)
	}
	if err := view.CheckContainers(); err != nil {
		return subject{}, err
	}
	return subject{view: view, namespace: view.Metadata.Namespace, template: template}, nil
}
