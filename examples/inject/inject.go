package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/podsecrets/podsecrets/examples/inject/internal/manifest"
	"github.com/podsecrets/podsecrets/examples/inject/internal/yamledit"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// requestsOf returns the requests in a Pod's annotations.
func requestsOf(pod manifest.Pod) ([]secret.Request, error) {
	annotations, err := pod.Texts(pod.Annotations())
	if err != nil {
		return nil, err
	}
	reqs, err := secret.DecodeAnnotations(annotations)
	var bad *secret.AnnotationError
	if errors.As(err, &bad) {
		return nil, pod.Errorf(pod.Annotations()+"/"+yamledit.EscapePointer(bad.Annotation), err)
	}
	return reqs, err
}

// inject returns the action that adds secrets: the requests in the Pod's annotations, then
// more.
func inject(in *injector.Injector, more []secret.Request, rules *rules) action {
	return func(ctx context.Context, pod manifest.Pod) (c change, operations []yamledit.Operation, err error) {
		reqs, err := requestsOf(pod)
		if reqs = append(reqs, more...); err != nil || len(reqs) == 0 {
			return c, nil, err // without requests, the Pod need not be decodable
		}
		c.requests = reqs
		typed, err := pod.Typed()
		if err != nil {
			return c, nil, err
		}
		plan, err := in.For(typed.Namespace).Plan(ctx, typed, reqs...)
		if err != nil {
			return c, nil, withPlace(pod, err)
		}
		c.placements = plan.Placements
		for i := range plan.Placements {
			c.allowedBy = append(c.allowedBy, rules.allowedBy(typed, &plan.Placements[i]))
		}
		operations, err = pod.Patch(plan.Patch())
		return c, operations, err
	}
}

// withPlace adds the place in the object to a conflict with the Pod.
func withPlace(pod manifest.Pod, err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		errs := slices.Clone(joined.Unwrap())
		for i := range errs {
			errs[i] = withPlace(pod, errs[i])
		}
		return errors.Join(errs...)
	}
	var conflict *mount.ConflictError
	if errors.As(err, &conflict) && conflict.Path != "" {
		pointer := manifest.Pointer(conflict.Path)
		if strings.HasPrefix(pointer, "/metadata/annotations/") {
			pointer = "/metadata/annotations"
		}
		return pod.At(pointer, err)
	}
	return err
}
