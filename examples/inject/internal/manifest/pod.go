package manifest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	kjson "k8s.io/apimachinery/pkg/util/json"

	"github.com/podsecrets/podsecrets/examples/inject/internal/yamledit"
)

// Pod is something of an object that Pods are made of.
type Pod struct {
	Object Object
	Root   string // where it is in the object

	metadata, volumes, initContainers string // where these are in the object
	containers                        []string
	containerList                     string // of a template
}

// Pods returns what the object makes Pods of. A kind that is not known has none.
func (ks Kinds) Pods(o Object) (pods []Pod) {
	for _, s := range ks[o.ID()] {
		for _, root := range matches(o.Value, s.Root) {
			if pod := s.pod(o, root); len(pod.containers) > 0 || s.isTemplate() {
				pods = append(pods, pod)
			}
		}
	}
	return pods
}

// Known reports whether it is known where that kind has its Pods.
func (ks Kinds) Known(o Object) bool { return ks[o.ID()] != nil }

// Places says where objects of that kind have their Pods.
func (ks Kinds) Places(o Object) string {
	var places []string
	for _, s := range ks[o.ID()] {
		places = append(places, strings.ReplaceAll(Path(s.Root), ".*", "[*]"))
	}
	return strings.Join(places, " or ")
}

var templateContainers = []string{"/spec/containers/*"}

func (s Shape) pod(o Object, root string) Pod {
	if s.isTemplate() {
		s.Metadata, s.Volumes, s.InitContainers = "/metadata", "/spec/volumes", "/spec/initContainers"
		s.Containers = templateContainers
	}
	in := func(pointer string) string {
		if absolute, ok := strings.CutPrefix(pointer, "^"); ok {
			return absolute
		}
		return root + pointer
	}
	p := Pod{Object: o, Root: root, metadata: in(s.Metadata), volumes: in(s.Volumes)}
	if slices.Equal(s.Containers, templateContainers) {
		p.containerList = root + "/spec/containers"
	}
	if s.InitContainers != "-" {
		p.initContainers = in(s.InitContainers)
	}
	for _, pattern := range s.Containers {
		p.containers = append(p.containers, matches(o.Value, root+pattern)...)
	}
	return p
}

// In returns the Pod as it is in a later state of its object.
func (p Pod) In(object *yamledit.Value) Pod {
	p.Object.Value = object
	return p
}

// Annotations is where they are in the object.
func (p Pod) Annotations() string { return p.metadata + "/annotations" }

// Labels is where they are in the object.
func (p Pod) Labels() string { return p.metadata + "/labels" }

// Texts returns the texts at a place in the object. Its error is an *Error.
func (p Pod) Texts(pointer string) (map[string]string, error) {
	v := p.Object.Value.Pointer(pointer)
	if !v.IsNull() && !v.IsObject() {
		return nil, p.errorf(pointer, "is %s, not an object", v.What())
	}
	texts := make(map[string]string)
	for _, f := range v.Fields() {
		text, ok := f.Value.Text()
		if !ok {
			return nil, p.errorf(pointer+"/"+yamledit.EscapePointer(f.Name), "is %s, not a text", f.Value.What())
		}
		texts[f.Name] = text
	}
	return texts, nil
}

func (p Pod) errorf(pointer, format string, args ...any) error {
	return &Error{p.Object.String(), p.Object.Pointer + pointer, fmt.Errorf(format, args...)}
}

// ignored are fields that no decision looks at. Manifests may have placeholders
// there that no Pod can have.
var ignored = []string{
	"args", "command", "envFrom", "lifecycle", "livenessProbe", "ports", "readinessProbe", "resources", "startupProbe",
	"affinity", "hostAliases", "tolerations", "topologySpreadConstraints",
}

// Typed returns what the library needs to know of the Pod. Its errors are *Error.
func (p Pod) Typed() (*corev1.Pod, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	object := p.Object.Value
	spec := make(map[string]json.RawMessage)
	if p.metadata == p.Root+"/metadata" {
		v := object.Pointer(p.Root + "/spec")
		if !v.IsObject() && !v.IsNull() {
			return nil, p.errorf(p.Root+"/spec", "is %s, not an object", v.What())
		}
		for _, f := range v.Fields() {
			if !slices.Contains(ignored, f.Name) {
				spec[f.Name] = f.Value.AppendJSON(nil)
			}
		}
	}
	var containers []json.RawMessage
	for i, place := range p.containers {
		containers = append(containers, container(object.Pointer(place), i))
	}
	spec["containers"] = list(containers)
	spec["volumes"] = object.Pointer(p.volumes).AppendJSON(nil)
	delete(spec, "initContainers")
	if p.initContainers != "" {
		var inits []json.RawMessage
		for i, item := range object.Pointer(p.initContainers).Items() {
			inits = append(inits, container(item, len(containers)+i))
		}
		spec["initContainers"] = list(inits)
	}
	metadata := make(map[string]json.RawMessage)
	for _, name := range []string{"annotations", "labels"} {
		metadata[name] = object.Pointer(p.metadata + "/" + name).AppendJSON(nil)
	}
	text, err := json.Marshal(map[string]any{"metadata": metadata, "spec": spec})
	if err != nil {
		return nil, p.errorf(p.Root, "%w", err)
	}
	var pod corev1.Pod
	if err := kjson.Unmarshal(text, &pod); err != nil {
		return nil, p.errorf(p.Root, "%w", err)
	}
	// A template's Pods are made in its owner's namespace, whatever it says itself.
	pod.Namespace = p.Object.Namespace
	return &pod, nil
}

// container returns a container without what no decision looks at. Fragments of
// manifests, and kinds that name containers themselves, have some without a name.
func container(v *yamledit.Value, i int) json.RawMessage {
	if !v.IsObject() {
		return v.AppendJSON(nil)
	}
	fields := []yamledit.Field{}
	for _, f := range v.Fields() {
		if !slices.Contains(ignored, f.Name) {
			fields = append(fields, f)
		}
	}
	if v.Get("name").IsNull() {
		fields = append(fields, yamledit.Field{Name: "name", Value: yamledit.NewText(unnamed(i))})
	}
	return yamledit.NewObject(fields...).AppendJSON(nil)
}

func list(items []json.RawMessage) json.RawMessage {
	out := []byte{'['}
	for i, item := range items {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, item...)
	}
	return append(out, ']')
}

// Container is one of a Pod's.
type Container struct {
	Name    string // as the typed Pod has it
	Pointer string // in the object
}

// InitContainers returns those that there are.
func (p Pod) InitContainers() (found []Container) {
	if p.initContainers == "" {
		return nil
	}
	for i := range p.Object.Value.Pointer(p.initContainers).Items() {
		found = append(found, p.container(p.initContainers+"/"+strconv.Itoa(i), len(p.containers)+i))
	}
	return found
}

// Containers returns those that are no init containers.
func (p Pod) Containers() (found []Container) {
	for i, place := range p.containers {
		found = append(found, p.container(place, i))
	}
	return found
}

func (p Pod) container(place string, i int) Container {
	name, ok := p.Object.Value.Pointer(place + "/name").Text()
	if !ok {
		name = unnamed(i)
	}
	return Container{name, place}
}

func unnamed(i int) string { return "unnamed-" + strconv.Itoa(i) }

// Volumes is where they are in the object.
func (p Pod) Volumes() string { return p.volumes }

// Metadata is where it is in the object.
func (p Pod) Metadata() string { return p.metadata }

// InitContainerList is where they are in the object; empty if there is no place.
func (p Pod) InitContainerList() string { return p.initContainers }
