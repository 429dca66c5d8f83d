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

// Render returns what "kubectl kustomize examples/webhook/deploy" prints, in the
// order in which kubectl applies it.
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

// apply applies the manifests as an administrator does, and returns the
// configuration that they have for the processes.
func (w *Webhook) apply(ctx context.Context, admin *rest.Config) (config map[string]any, err error) {
	objects, err := Render()
	if err != nil {
		return nil, err
	}
	listener := &listener{}
	admin = rest.CopyConfig(admin)
	admin.WarningHandler = listener
	client, err := dynamic.NewForConfig(admin)
	if err != nil {
		return nil, err
	}
	mapper, err := newMapper(admin)
	if err != nil {
		return nil, err
	}
	for _, object := range objects {
		if err := w.lead(object); err != nil {
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
	w.Warnings = listener.texts
	return config, err
}

// lead makes the Service lead to the balancer. That of an ExternalName is not
// asked for its ports, so the port is in the caller's configuration.
func (w *Webhook) lead(object *unstructured.Unstructured) error {
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
	var to dynamic.ResourceInterface = client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		to = client.Resource(mapping.Resource).Namespace(object.GetNamespace())
	}
	_, err = to.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: "e2e"})
	return err
}

// listener keeps the API server's warnings.
type listener struct {
	mu    sync.Mutex
	texts []string
}

// HandleWarningHeader implements rest.WarningHandler. 299 is the one code there
// is for Kubernetes' warnings.
func (l *listener) HandleWarningHeader(code int, _ string, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if code == 299 {
		l.texts = append(l.texts, text)
	}
}
