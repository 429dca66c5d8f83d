package injectortest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// answer is a manager's result.
type answer struct {
	fragment mount.Fragment
	err      error
}

// outcome is Served, NotFound, Unsupported or Fails.
func (a *answer) outcome() Outcome {
	switch {
	case a.err == nil:
		return Served
	case errors.Is(a.err, secret.ErrNotFound):
		return NotFound
	case errors.Is(a.err, secret.ErrUnsupported):
		return Unsupported
	}
	return Fails
}

// declined reports whether the next manager would be tried.
func (a *answer) declined() bool { return a.outcome() == NotFound || a.outcome() == Unsupported }

func (a *answer) String() string {
	if a.err != nil {
		return fmt.Sprintf("%v (%v)", a.outcome(), a.err)
	}
	return Served.String()
}

// clone returns a copy of the fragment that shares only its Value, which is
// immutable.
func clone(f *mount.Fragment) mount.Fragment {
	c := *f
	c.Volumes, c.VolumeMounts, c.InitContainers = nil, nil, nil
	for i := range f.Volumes {
		c.Volumes = append(c.Volumes, *f.Volumes[i].DeepCopy())
	}
	for i := range f.VolumeMounts {
		c.VolumeMounts = append(c.VolumeMounts, *f.VolumeMounts[i].DeepCopy())
	}
	for _, ic := range f.InitContainers {
		env := (&corev1.Container{Env: ic.Env}).DeepCopy().Env
		c.InitContainers = append(c.InitContainers, mount.InitContainer{Container: ic.Container.DeepCopy(), Env: env})
	}
	c.ImagePullSecrets = slices.Clone(f.ImagePullSecrets)
	if f.Webhook != nil {
		w := *f.Webhook
		w.Annotations, w.DefaultAnnotations, w.AliasAnnotations = maps.Clone(w.Annotations), maps.Clone(w.DefaultAnnotations), maps.Clone(w.AliasAnnotations)
		w.Containers = slices.Clone(w.Containers)
		c.Webhook = &w
	}
	return c
}

// differs returns the difference between two results, or "".
func differs(a, b *answer) string {
	if got, want := a.outcome(), b.outcome(); got != want {
		return fmt.Sprintf("got %v, but before %v", a, b)
	}
	if names := fieldsThatDiffer(&a.fragment, &b.fragment); len(names) > 0 {
		return "the Fragment differs in " + strings.Join(names, ", ")
	}
	return ""
}

func fieldsThatDiffer(f, g *mount.Fragment) (names []string) {
	if !f.Value.Equal(g.Value) {
		names = append(names, "Value")
	}
	restF, restG := *f, *g
	restF.Value, restG.Value = nil, nil
	if reflect.DeepEqual(restF, restG) {
		return names // faster than comparing each field
	}
	for _, field := range []struct {
		name string
		a, b any
	}{
		{"File", f.File, g.File},
		{"Versioned", f.Versioned, g.Versioned},
		{"Honors", f.Honors, g.Honors},
		{"Reads", f.Reads, g.Reads},
		{"Volumes", f.Volumes, g.Volumes},
		{"VolumeMounts", f.VolumeMounts, g.VolumeMounts},
		{"InitContainers", f.InitContainers, g.InitContainers},
		{"ImagePullSecrets", f.ImagePullSecrets, g.ImagePullSecrets},
		{"Webhook", f.Webhook, g.Webhook},
	} {
		if !equality.Semantic.DeepEqual(field.a, field.b) {
			names = append(names, field.name)
		}
	}
	return names
}

// instructions returns, as JSON, what a fragment passes to the kubelet,
// fetchers and other webhooks.
func instructions(f *mount.Fragment) string {
	var all struct {
		Volumes     []corev1.VolumeSource
		Containers  []corev1.Container
		Env         []corev1.EnvVar
		Annotations []string
	}
	for i := range f.Volumes {
		all.Volumes = append(all.Volumes, f.Volumes[i].VolumeSource)
	}
	for _, ic := range f.InitContainers {
		all.Containers = append(all.Containers, *ic.Container)
		all.Env = append(all.Env, ic.Env...)
	}
	if w := f.Webhook; w != nil {
		all.Annotations = slices.AppendSeq(all.Annotations, maps.Values(w.Annotations))
	}
	text, _ := json.Marshal(all) // never fails for these types
	return string(text)
}
