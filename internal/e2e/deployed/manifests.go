package deployed

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"github.com/podsecrets/podsecrets/internal/e2e/apiserver"
)

// Render returns the objects of "kubectl kustomize examples/webhook/deploy", in the
// order in which kubectl applies them.
func Render() ([]*unstructured.Unstructured, error) {
	root, err := apiserver.Root()
	if err != nil {
		return nil, err
	}
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionLegacy // namespaces first
	rendered, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), filepath.Join(root, "examples", "webhook", "deploy"))
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	for _, resource := range rendered.Resources() {
		object, err := resource.Map()
		if err != nil {
			return nil, err
		}
		objects = append(objects, &unstructured.Unstructured{Object: object})
	}
	return objects, nil
}

// apply applies the manifests as the administrator, and returns the configuration
// in their ConfigMap.
func (w *Webhook) apply(ctx context.Context, admin *rest.Config) (config map[string]any, err error) {
	objects, err := Render()
	if err != nil {
		return nil, err
	}
	warnings := &warnings{}
	admin = rest.CopyConfig(admin)
	admin.WarningHandler = warnings
	client, err := dynamic.NewForConfig(admin)
	if err != nil {
		return nil, err
	}
	mapper, err := newMapper(admin)
	if err != nil {
		return nil, err
	}
	for _, object := range objects {
		if err := w.redirect(object); err != nil {
			return nil, err
		}
		if err := applyOne(ctx, client, mapper, object); err != nil {
			return nil, fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
		if object.GetKind() == "ConfigMap" {
			text, _, _ := unstructured.NestedString(object.Object, "data", "config.yaml")
			err = yaml.UnmarshalStrict([]byte(text), &config)
		}
	}
	w.Warnings = warnings.texts
	return config, err
}

// redirect makes API servers call the balancer. They ignore the ports of an
// ExternalName Service, so the webhook configurations have the port.
func (w *Webhook) redirect(object *unstructured.Unstructured) error {
	switch object.GetKind() {
	case "Service":
		spec := object.Object["spec"].(map[string]any)
		spec["type"], spec["externalName"] = "ExternalName", "127.0.0.1"
	case "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration":
		for _, hook := range object.Object["webhooks"].([]any) {
			if err := unstructured.SetNestedField(hook.(map[string]any), int64(w.balancer.port()), "clientConfig", "service", "port"); err != nil {
				return err
			}
		}
	}
	return nil
}

func newMapper(config *rest.Config) (meta.RESTMapper, error) {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	groups, err := restmapper.GetAPIGroupResources(client)
	if err != nil {
		return nil, err
	}
	return restmapper.NewDiscoveryRESTMapper(groups), nil
}

func applyOne(ctx context.Context, client dynamic.Interface, mapper meta.RESTMapper, object *unstructured.Unstructured) error {
	kind := object.GroupVersionKind()
	mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return err
	}
	var resource dynamic.ResourceInterface = client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		resource = client.Resource(mapping.Resource).Namespace(object.GetNamespace())
	}
	_, err = resource.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: "e2e"})
	return err
}

// warnings collects the API server's warnings.
type warnings struct {
	mu    sync.Mutex
	texts []string
}

// HandleWarningHeader implements rest.WarningHandler. Kubernetes uses only the code
// 299.
func (w *warnings) HandleWarningHeader(code int, _ string, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if code == 299 {
		w.texts = append(w.texts, text)
	}
}
