package main

import (
	"context"
	"maps"
	"slices"

	"github.com/podsecrets/podsecrets/examples/inject/internal/manifest"
	"github.com/podsecrets/podsecrets/examples/inject/internal/yamledit"
	"github.com/podsecrets/podsecrets/secret"
)

// stamp returns the action that adds requests as annotations.
func stamp(more []secret.Request) action {
	return func(_ context.Context, pod manifest.Pod) (c change, operations []yamledit.Operation, err error) {
		existing, err := requestsOf(pod)
		if err != nil {
			return c, nil, err
		}
		annotations, err := pod.Texts(pod.Annotations())
		if err != nil {
			return c, nil, err
		}
		labels, err := pod.Texts(pod.Labels())
		if err != nil {
			return c, nil, err
		}
		// Requests in annotations that a person has named stay as they are.
		_, named, err := secret.Stamp(nil, annotations, nil)
		if err != nil {
			return c, nil, err
		}
		kept, err := secret.DecodeAnnotations(named)
		if err != nil {
			return c, nil, err
		}
		var reqs []secret.Request
		for _, req := range append(existing, more...) {
			if !slices.Contains(kept, req) && !slices.Contains(reqs, req) {
				reqs = append(reqs, req)
			}
		}
		c.requests = append(kept, reqs...)
		if len(c.requests) == 0 {
			return c, nil, nil
		}
		newLabels, newAnnotations, err := secret.Stamp(labels, annotations, reqs)
		if err != nil {
			return c, nil, err
		}
		operations = setTexts(pod.Labels(), labels, newLabels)
		operations = append(operations, setTexts(pod.Annotations(), annotations, newAnnotations)...)
		return c, pod.WithParents(operations), nil
	}
}

// setTexts returns the operations that turn the strings at a place into want.
func setTexts(place string, have, want map[string]string) (operations []yamledit.Operation) {
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if _, ok := want[name]; !ok {
			operations = append(operations, yamledit.Operation{Op: "remove", Path: place + "/" + yamledit.EscapePointer(name)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if value, ok := have[name]; ok && value == want[name] {
			continue
		}
		pointer := place + "/" + yamledit.EscapePointer(name)
		operations = append(operations, yamledit.Operation{Op: "add", Path: pointer, Value: yamledit.NewText(want[name])})
	}
	return operations
}

// decode is the action that only lists requests.
func decode(_ context.Context, pod manifest.Pod) (c change, _ []yamledit.Operation, err error) {
	c.requests, err = requestsOf(pod)
	return c, nil, err
}
