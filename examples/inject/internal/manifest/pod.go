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

// Pod is a part of an object that describes Pods.
type Pod struct {
	Object Object
	Root   string // pointer in the object

	metadata, volumes, initContainers string // pointers in the object
	containers                        []string
	containerList                     string // of a template
}

// Pods returns the object's Pods. An unknown kind has none.
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

// Known reports whether the object's kind is known.
func (ks Kinds) Known(o Object) bool { return ks[o.ID()] != nil }

// Places lists the places of Pods in the object's kind.
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

// In returns the Pod in a later state of its object.
func (p Pod) In(object *yamledit.Value) Pod {
	p.Object.Value = object
	return p
}

// Annotations returns the pointer of the annotations.
func (p Pod) Annotations() string { return p.metadata + "/annotations" }

// Labels returns the pointer of the labels.
func (p Pod) Labels() string { return p.metadata + "/labels" }

// Texts returns the strings of an object at a pointer. An error is an *Error.
func (p Pod) Texts(pointer string) (map[string]string, error) {
	v := p.Object.Value.Pointer(pointer)
	if !v.IsNull() && !v.IsObject() {
		return nil, p.errorf(pointer, "is %s, not an object", v.What())
	}
	texts := make(map[string]string)
	for _, f := range v.Fields() {
		text, ok := f.Value.Text()
		if !ok {
			return nil, p.errorf(pointer+"/"+yamledit.EscapePointer(f.Name), "is %s, not a string", f.Value.What())
		}
		texts[f.Name] = text
	}
	return texts, nil
}

func (p Pod) errorf(pointer, format string, args ...any) error {
	return &Error{p.Object.String(), p.Object.Pointer + pointer, fmt.Errorf(format, args...)}
}

// ignored lists fields that no decision needs. Manifests may have placeholders there that
// are invalid in a Pod.
var ignored = []string{
	"args", "command", "envFrom", "lifecycle", "livenessProbe", "ports", "readinessProbe", "resources", "startupProbe",
	"affinity", "hostAliases", "tolerations", "topologySpreadConstraints",
}

// Typed returns the part of the Pod that the library needs. An error is an *Error.
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
	// Pods are created in the owner's namespace, whatever the template says.
	pod.Namespace = p.Object.Namespace
	return &pod, nil
}

// container returns a container without ignored fields. It adds a missing name, because
// partial manifests and some kinds have containers without one.
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

// Container is a container of a Pod.
type Container struct {
	Name    string // in the typed Pod
	Pointer string // in the object
}

// InitContainers returns the init containers.
func (p Pod) InitContainers() (found []Container) {
	if p.initContainers == "" {
		return nil
	}
	for i := range p.Object.Value.Pointer(p.initContainers).Items() {
		found = append(found, p.container(p.initContainers+"/"+strconv.Itoa(i), len(p.containers)+i))
	}
	return found
}

// Containers returns the containers, without init containers.
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

// Volumes returns the pointer of the volumes.
func (p Pod) Volumes() string { return p.volumes }

// Metadata returns the pointer of the metadata.
func (p Pod) Metadata() string { return p.metadata }

// InitContainerList returns the pointer of the init containers, "" if the kind has none.
func (p Pod) InitContainerList() string { return p.initContainers }
