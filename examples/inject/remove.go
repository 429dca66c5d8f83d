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

// remove returns the action that takes away what was injected: all that has our
// names, and what injecting the requests into the bare Pod would add.
func remove(in *injector.Injector, more []secret.Request) action {
	return func(ctx context.Context, pod manifest.Pod) (c change, operations []yamledit.Operation, err error) {
		reqs, err := requestsOf(pod)
		if err != nil {
			return c, nil, err
		}
		c.requests = append(reqs, more...)
		var ours added
		if len(c.requests) > 0 {
			typed, err := pod.Typed()
			if err != nil {
				return c, nil, err
			}
			if ours, err = additions(ctx, in, typed, c.requests); err != nil {
				return c, nil, placed(pod, err)
			}
		}
		return c, ours.removal(pod), nil
	}
}

// added is what injection adds to a Pod, apart from what has our names.
type added struct {
	annotations map[string]string
	env         map[string][]corev1.EnvVar // by container
	mounts      map[string][]corev1.VolumeMount
}

// additions returns what injection adds to a Pod that has nothing yet. The Pod's
// other annotations stay, as they can say how secrets come.
func additions(ctx context.Context, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request) (ours added, err error) {
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
	ours = added{maps.Clone(injected.Annotations), map[string][]corev1.EnvVar{}, map[string][]corev1.VolumeMount{}}
	maps.DeleteFunc(ours.annotations, func(name, _ string) bool { _, ok := bare.Annotations[name]; return ok })
	for _, c := range append(injected.Spec.InitContainers, injected.Spec.Containers...) {
		ours.env[c.Name], ours.mounts[c.Name] = c.Env, c.VolumeMounts
	}
	return ours, nil
}

// namePrefix begins the names of all volumes and containers that are injected.
var namePrefix = strings.TrimSuffix(mount.FetchVolume, "fetched")

func hasOurName(name string) bool { return strings.HasPrefix(name, namePrefix) }

// isOurVariable reports variables that begin with the prefix of Flyte's client, or
// tell it where to look.
func isOurVariable(v corev1.EnvVar) bool {
	layout := mount.Layout{}.WithDefaults()
	values := map[string]string{
		mount.EnvPrefixVar: layout.EnvPrefix, mount.DefaultDirVar: layout.Dir, mount.FilePrefixVar: layout.FilePrefix,
	}
	value, isDiscovery := values[v.Name]
	return strings.HasPrefix(v.Name, layout.EnvPrefix) || isDiscovery && v.ValueFrom == nil && v.Value == value
}

// removal returns the operations that take away what is ours, and lists and objects
// of which nothing is left.
func (a added) removal(pod manifest.Pod) (operations []yamledit.Operation) {
	object := pod.Object.Value
	for _, c := range append(pod.InitContainers(), pod.Containers()...) {
		if hasOurName(c.Name) {
			continue // it goes as a whole
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

// named is what has a name.
type named struct {
	Name string `json:"name"`
}

func containsEqual[T any](list []T, one T) bool {
	return slices.ContainsFunc(list, func(other T) bool { return equality.Semantic.DeepEqual(other, one) })
}

// removeItems returns what removes the items of a list that are ours, from the last
// to the first, or the list if all are.
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

func (a added) removeAnnotations(pod manifest.Pod) (operations []yamledit.Operation) {
	there := pod.Object.Value.Pointer(pod.Annotations()).Fields()
	for _, f := range there {
		want, ok := a.annotations[f.Name]
		if text, isText := f.Value.Text(); ok && isText && text == want {
			operations = append(operations, yamledit.Operation{Op: "remove", Path: pod.Annotations() + "/" + yamledit.EscapePointer(f.Name)})
		}
	}
	if len(there) == 0 || len(operations) < len(there) {
		return operations
	}
	if metadata := pod.Object.Value.Pointer(pod.Metadata()); pod.Root != "" && pod.Metadata() == pod.Root+"/metadata" && len(metadata.Fields()) == 1 {
		return []yamledit.Operation{{Op: "remove", Path: pod.Metadata()}}
	}
	return []yamledit.Operation{{Op: "remove", Path: pod.Annotations()}}
}
