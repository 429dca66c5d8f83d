package main

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	kjson "k8s.io/apimachinery/pkg/util/json"

	"github.com/podsecrets/podsecrets/examples/inject/internal/manifest"
	"github.com/podsecrets/podsecrets/examples/inject/internal/yamledit"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// remove returns the action that removes injected secrets: everything with a generated name,
// and everything that injecting the requests into the bare Pod would add.
func remove(in *injector.Injector, more []secret.Request) action {
	return func(ctx context.Context, pod manifest.Pod) (c change, operations []yamledit.Operation, err error) {
		reqs, err := requestsOf(pod)
		if err != nil {
			return c, nil, err
		}
		c.requests = append(reqs, more...)
		var ours additions
		if len(c.requests) > 0 {
			typed, err := pod.Typed()
			if err != nil {
				return c, nil, err
			}
			if ours, err = additionsTo(ctx, in, typed, c.requests); err != nil {
				return c, nil, withPlace(pod, err)
			}
		}
		return c, ours.removal(pod), nil
	}
}

// additions are what injection adds to a Pod, apart from parts with a generated name.
type additions struct {
	annotations map[string]string
	env         map[string][]corev1.EnvVar // by container
	mounts      map[string][]corev1.VolumeMount
}

// additionsTo injects the requests into a bare copy of the Pod. It keeps the Pod's other
// annotations, because they can configure how secrets are served.
func additionsTo(ctx context.Context, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request) (ours additions, err error) {
	bare := pod.DeepCopy()
	bare.Annotations, bare.Spec.Volumes = nil, nil
	bare.Spec.InitContainers = slices.DeleteFunc(bare.Spec.InitContainers, func(c corev1.Container) bool { return hasOurName(c.Name) })
	for _, containers := range [][]corev1.Container{bare.Spec.InitContainers, bare.Spec.Containers} {
		for i := range containers {
			containers[i].Env, containers[i].VolumeMounts = nil, nil
		}
	}
	first, err := in.Inject(ctx, bare, reqs...)
	if err != nil {
		return ours, err
	}
	bare.Annotations = maps.Clone(pod.Annotations)
	maps.DeleteFunc(bare.Annotations, func(name, value string) bool {
		other, ok := first.Annotations[name]
		return ok && other == value
	})
	injected, err := in.Inject(ctx, bare, reqs...)
	if err != nil {
		return ours, err
	}
	ours = additions{maps.Clone(injected.Annotations), map[string][]corev1.EnvVar{}, map[string][]corev1.VolumeMount{}}
	maps.DeleteFunc(ours.annotations, func(name, _ string) bool { _, ok := bare.Annotations[name]; return ok })
	for _, c := range append(injected.Spec.InitContainers, injected.Spec.Containers...) {
		ours.env[c.Name], ours.mounts[c.Name] = c.Env, c.VolumeMounts
	}
	return ours, nil
}

// namePrefix is the prefix of all generated names of volumes and containers.
var namePrefix = strings.TrimSuffix(mount.FetchVolume, "fetched")

func hasOurName(name string) bool { return strings.HasPrefix(name, namePrefix) }

// isOurVariable reports whether v is a derived variable of Flyte's client or one of its
// discovery variables.
func isOurVariable(v corev1.EnvVar) bool {
	layout := mount.Layout{}.WithDefaults()
	values := map[string]string{
		mount.EnvPrefixVar: layout.EnvPrefix, mount.DefaultDirVar: layout.Dir, mount.FilePrefixVar: layout.FilePrefix,
	}
	value, isDiscovery := values[v.Name]
	return strings.HasPrefix(v.Name, layout.EnvPrefix) || isDiscovery && v.ValueFrom == nil && v.Value == value
}

// removal returns the operations that remove our parts, and lists and objects that become
// empty.
func (a additions) removal(pod manifest.Pod) (operations []yamledit.Operation) {
	object := pod.Object.Value
	for _, c := range append(pod.InitContainers(), pod.Containers()...) {
		if hasOurName(c.Name) {
			continue // removed as a whole
		}
		operations = append(operations, removeItems(object, c.Pointer+"/env", func(v corev1.EnvVar) bool {
			return isOurVariable(v) || containsEqual(a.env[c.Name], v)
		})...)
		operations = append(operations, removeItems(object, c.Pointer+"/volumeMounts", func(m corev1.VolumeMount) bool {
			return hasOurName(m.Name) || containsEqual(a.mounts[c.Name], m)
		})...)
	}
	if list := pod.InitContainerList(); list != "" {
		operations = append(operations, removeItems(object, list, func(c named) bool { return hasOurName(c.Name) })...)
	}
	operations = append(operations, removeItems(object, pod.Volumes(), func(v named) bool { return hasOurName(v.Name) })...)
	return append(operations, a.removeAnnotations(pod)...)
}

// named decodes an object's name.
type named struct {
	Name string `json:"name"`
}

func containsEqual[T any](list []T, one T) bool {
	return slices.ContainsFunc(list, func(other T) bool { return equality.Semantic.DeepEqual(other, one) })
}

// removeItems returns the operations that remove a list's items that are ours, last one
// first, or the list if all are.
func removeItems[T any](object *yamledit.Value, list string, isOurs func(T) bool) (operations []yamledit.Operation) {
	items := object.Pointer(list).Items()
	for i := len(items) - 1; i >= 0; i-- {
		var item T
		if err := kjson.Unmarshal(items[i].AppendJSON(nil), &item); err == nil && isOurs(item) {
			operations = append(operations, yamledit.Operation{Op: "remove", Path: list + "/" + strconv.Itoa(i)})
		}
	}
	if len(items) > 0 && len(operations) == len(items) {
		return []yamledit.Operation{{Op: "remove", Path: list}}
	}
	return operations
}

func (a additions) removeAnnotations(pod manifest.Pod) (operations []yamledit.Operation) {
	existing := pod.Object.Value.Pointer(pod.Annotations()).Fields()
	for _, f := range existing {
		want, ok := a.annotations[f.Name]
		if text, isText := f.Value.Text(); ok && isText && text == want {
			operations = append(operations, yamledit.Operation{Op: "remove", Path: pod.Annotations() + "/" + yamledit.EscapePointer(f.Name)})
		}
	}
	if len(existing) == 0 || len(operations) < len(existing) {
		return operations
	}
	if metadata := pod.Object.Value.Pointer(pod.Metadata()); pod.Root != "" && pod.Metadata() == pod.Root+"/metadata" && len(metadata.Fields()) == 1 {
		return []yamledit.Operation{{Op: "remove", Path: pod.Metadata()}}
	}
	return []yamledit.Operation{{Op: "remove", Path: pod.Annotations()}}
}
