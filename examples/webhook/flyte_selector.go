package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kjson "sigs.k8s.io/json"
)

// selector decodes the namespaceSelector. Its errors start with the field's name.
func (cfg *config) selector() (*metav1.LabelSelector, error) {
	selector := &metav1.LabelSelector{}
	text, err := json.Marshal(cfg.NamespaceSelector)
	if err == nil && cfg.NamespaceSelector != nil {
		var flaws []error
		flaws, err = kjson.UnmarshalStrict(text, selector)
		err = errors.Join(append(flaws, err)...)
	}
	if err == nil {
		_, err = metav1.LabelSelectorAsSelector(selector)
	}
	if err != nil {
		return nil, fmt.Errorf("namespaceSelector: is not a label selector: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return selector, nil
}

// printSelector writes a patch for each of the two webhook configurations: the
// namespaceSelector, which also excludes the webhook's own namespace.
func (cfg *config) printSelector(w io.Writer) error {
	if cfg.NamespaceSelector == nil {
		return errors.New("the configuration has no namespaceSelector")
	}
	selector := maps.Clone(cfg.NamespaceSelector)
	own := map[string]any{"key": corev1.LabelMetadataName, "operator": metav1.LabelSelectorOpNotIn, "values": []string{cfg.Namespace}}
	expressions, _ := selector["matchExpressions"].([]any)
	selector["matchExpressions"] = append(slices.Clone(expressions), any(own))
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	var errs []error
	for _, hook := range []struct{ kind, configuration, name string }{
		{"MutatingWebhookConfiguration", cfg.WebhookConfiguration, "inject.podsecrets.github.io"},
		{"ValidatingWebhookConfiguration", cfg.ValidatingConfiguration, "verify.podsecrets.github.io"},
	} {
		if hook.configuration == "" {
			continue
		}
		errs = append(errs, encoder.Encode(map[string]any{
			"apiVersion": "admissionregistration.k8s.io/v1",
			"kind":       hook.kind,
			"metadata":   map[string]any{"name": hook.configuration},
			"webhooks":   []any{map[string]any{"name": hook.name, "namespaceSelector": selector}},
		}))
	}
	return errors.Join(append(errs, encoder.Close())...)
}
