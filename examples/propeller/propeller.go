// Package propeller adds secrets to resources that another operator turns into Pods, as
// Flyte's propeller does: the resources are unstructured, and the secrets of a task are
// protobuf messages (secret.FromProto).
//
// Stamp leaves the injection to a webhook; operators copy a template's labels and annotations
// to their Pods. Inject needs no webhook.
package propeller

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/secret"
)

// templates lists the places of Pod templates in each kind.
var templates = map[string][][]string{
	"SparkApplication": {{"spec", "driver", "template"}, {"spec", "executor", "template"}},
	"PyTorchJob": {
		{"spec", "pytorchReplicaSpecs", "Master", "template"},
		{"spec", "pytorchReplicaSpecs", "Worker", "template"},
	},
}

// Stamp returns the resource with the requests on each of its templates.
func Stamp(job *unstructured.Unstructured, reqs []secret.Request) (*unstructured.Unstructured, error) {
	return change(job, func(template map[string]any) (map[string]any, error) {
		if template["metadata"] == nil {
			template["metadata"] = map[string]any{} // Go's types encode empty metadata as null
		}
		t := unstructured.Unstructured{Object: template}
		labels, annotations, err := secret.Stamp(t.GetLabels(), t.GetAnnotations(), reqs)
		t.SetLabels(labels)
		t.SetAnnotations(annotations)
		return t.Object, err
	})
}

// Inject returns the resource with the secrets in each of its templates.
func Inject(ctx context.Context, in *injector.Injector, job *unstructured.Unstructured, reqs []secret.Request) (*unstructured.Unstructured, error) {
	in = in.For(job.GetNamespace())
	return change(job, func(template map[string]any) (injected map[string]any, err error) {
		before, err := json.Marshal(template)
		if err != nil {
			return nil, err
		}
		text, err := in.PatchJSON(ctx, before, reqs...)
		if err != nil {
			return nil, err
		}
		patch, err := jsonpatch.DecodePatch(text)
		if err != nil {
			return nil, err
		}
		after, err := patch.Apply(before)
		if err != nil {
			return nil, err
		}
		return injected, utiljson.Unmarshal(after, &injected) // integers stay integers
	})
}

// change returns a copy of the resource with f applied to each template.
func change(job *unstructured.Unstructured, f func(map[string]any) (map[string]any, error)) (*unstructured.Unstructured, error) {
	paths, ok := templates[job.GetKind()]
	if !ok {
		return nil, fmt.Errorf("propeller: the Pod templates of kind %q are unknown", job.GetKind())
	}
	changed, hasTemplate := job.DeepCopy(), false
	for _, path := range paths {
		template, ok, err := unstructured.NestedMap(changed.Object, path...)
		if ok {
			hasTemplate = true
			if template, err = f(template); err == nil {
				err = unstructured.SetNestedMap(changed.Object, template, path...)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("propeller: %s %q: %s: %w", job.GetKind(), job.GetName(), strings.Join(path, "."), err)
		}
	}
	if !hasTemplate {
		return nil, fmt.Errorf("propeller: %s %q has no Pod template", job.GetKind(), job.GetName())
	}
	return changed, nil
}
