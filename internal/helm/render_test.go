package helm

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	action3 "helm.sh/helm/v3/pkg/action"
	loader3 "helm.sh/helm/v3/pkg/chart/loader"
	postrender3 "helm.sh/helm/v3/pkg/postrender"
	action4 "helm.sh/helm/v4/pkg/action"
	loader4 "helm.sh/helm/v4/pkg/chart/v2/loader"
	postrender4 "helm.sh/helm/v4/pkg/postrenderer"
	release4 "helm.sh/helm/v4/pkg/release/v1"
	yamlstream "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// A rendering is what a release of a chart consists of.
type rendering struct{ manifest, hooks string }

// A helm renders a chart into a namespace, as "helm template" does.
type helm func(chart, namespace string, values map[string]any) (rendering, error)

var helms = map[string]helm{
	"helm-3": func(chart, namespace string, values map[string]any) (rendering, error) {
		return render3(chart, namespace, values, nil)
	},
	"helm-4": func(chart, namespace string, values map[string]any) (rendering, error) {
		return render4(chart, namespace, values, nil)
	},
}

const release = "secrets"

func render3(chart, namespace string, values map[string]any, post postrender3.PostRenderer) (r rendering, err error) {
	loaded, err := loader3.Load(chart)
	if err != nil {
		return r, err
	}
	install := action3.NewInstall(&action3.Configuration{Log: func(string, ...any) {}})
	install.ClientOnly, install.DryRun = true, true
	install.ReleaseName, install.Namespace, install.PostRenderer = release, namespace, post
	made, err := install.Run(loaded, values)
	if err != nil {
		return r, err
	}
	for _, hook := range made.Hooks {
		r.hooks += "---\n" + hook.Manifest + "\n"
	}
	r.manifest = made.Manifest
	return r, nil
}

func render4(chart, namespace string, values map[string]any, post postrender4.PostRenderer) (r rendering, err error) {
	loaded, err := loader4.Load(chart)
	if err != nil {
		return r, err
	}
	install := action4.NewInstall(new(action4.Configuration))
	install.DryRunStrategy = action4.DryRunClient
	install.ReleaseName, install.Namespace, install.PostRenderer = release, namespace, post
	made, err := install.Run(loaded, values)
	if err != nil {
		return r, err
	}
	first := made.(*release4.Release)
	for _, hook := range first.Hooks {
		r.hooks += "---\n" + hook.Manifest + "\n"
	}
	r.manifest = first.Manifest
	return r, nil
}

// objects are manifests, by kind, namespace and name.
type objects map[string]map[string]any

func (o objects) add(t *testing.T, text []byte) {
	var object map[string]any
	require.NoError(t, json.Unmarshal(text, &object))
	var namespace string
	meta := object["metadata"].(map[string]any)
	if meta["namespace"] != nil {
		namespace = meta["namespace"].(string) + "/"
	}
	key := object["kind"].(string) + " " + namespace + meta["name"].(string)
	require.NotContains(t, o, key)
	o[key] = object
}

// parse reads a stream of YAML documents.
func parse(t *testing.T, text string) objects {
	all := objects{}
	documents := yamlstream.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		document, err = yaml.YAMLToJSONStrict(document)
		require.NoError(t, err, text)
		if string(document) != "null" {
			all.add(t, document)
		}
	}
}

// kustomize builds a folder of a file system.
func kustomize(t *testing.T, files filesys.FileSystem, dir string) objects {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, dir)
	require.NoError(t, err)
	all := objects{}
	for _, resource := range built.Resources() {
		text, err := resource.MarshalJSON()
		require.NoError(t, err)
		all.add(t, text)
	}
	return all
}
