package mount

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/names"
)

// FragmentError reports that a manager's Fragment breaks the rules of Fragment:
// a mistake in the manager, not in the Pod or the request.
type FragmentError struct {
	Field, Reason string
}

func (e *FragmentError) Error() string { return "fragment: " + e.Field + " " + e.Reason }

// Validate returns a *FragmentError for the first rule of Fragment that f
// breaks.
func (f *Fragment) Validate() error {
	switch {
	case (f.Value != nil) == f.File:
		return &FragmentError{"Value", "and File: exactly one must be set"}
	case f.Value != nil && !f.Value.hasReference() && !f.Value.IsLiteral():
		return &FragmentError{"Value", "is an empty reference"}
	}
	// cmp.Or would run every check; most fragments have little to check.
	if err := f.validateVolumes(); err != nil {
		return err
	}
	if err := f.validateInitContainers(); err != nil {
		return err
	}
	return cmp.Or(f.validateWebhook(), f.validateEnvFile())
}

func (f *Fragment) hasVolume(name string) bool {
	return slices.ContainsFunc(f.Volumes, func(v corev1.Volume) bool { return v.Name == name })
}

func (f *Fragment) validateVolumes() error {
	for i := range f.Volumes {
		v := &f.Volumes[i]
		switch {
		case !IsName(v.Name):
			return &FragmentError{"Volumes", fmt.Sprintf("%q is not a name from mount.Name", v.Name)}
		case slices.ContainsFunc(f.Volumes[:i], func(w corev1.Volume) bool { return w.Name == v.Name }):
			return &FragmentError{"Volumes", fmt.Sprintf("%q is listed twice", v.Name)}
		case isZero(&v.VolumeSource):
			return &FragmentError{"Volumes", fmt.Sprintf("%q has no source", v.Name)}
		}
	}
	for i, m := range f.VolumeMounts {
		at := path.Clean(m.MountPath)
		switch {
		case !f.hasVolume(m.Name):
			return &FragmentError{"VolumeMounts", fmt.Sprintf("has volume %q, which is not in Volumes", m.Name)}
		case !path.IsAbs(m.MountPath), strings.Contains(m.MountPath, ":"):
			return &FragmentError{"VolumeMounts", fmt.Sprintf("%q is not an absolute path without \":\"", m.MountPath)}
		case slices.ContainsFunc(f.VolumeMounts[:i], func(n corev1.VolumeMount) bool { return path.Clean(n.MountPath) == at }):
			return &FragmentError{"VolumeMounts", fmt.Sprintf("%q is listed twice", at)}
		}
	}
	return nil
}

func (f *Fragment) validateInitContainers() error {
	for i, c := range f.InitContainers {
		switch {
		case c.Container == nil:
			return &FragmentError{"InitContainers", "has an entry without a Container"}
		case !IsName(c.Name):
			return &FragmentError{"InitContainers", fmt.Sprintf("%q is not a name from mount.Name", c.Name)}
		case slices.ContainsFunc(f.InitContainers[:i], func(d InitContainer) bool { return d.Name == c.Name }):
			return &FragmentError{"InitContainers", fmt.Sprintf("%q is listed twice", c.Name)}
		case c.RestartPolicy != nil:
			return &FragmentError{"InitContainers", fmt.Sprintf("%q has a restartPolicy: other containers would not wait for it", c.Name)}
		}
		for _, m := range c.VolumeMounts {
			if m.Name != FetchVolume && m.Name != EnvVolume && !f.hasVolume(m.Name) {
				return &FragmentError{"InitContainers", fmt.Sprintf("%q mounts %q, which is neither FetchVolume nor EnvVolume, and not in Volumes", c.Name, m.Name)}
			}
		}
	}
	return nil
}

// Mounts reports whether one of InitContainers mounts the volume.
func (f *Fragment) Mounts(volume string) bool {
	for _, c := range f.InitContainers {
		if slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == volume }) {
			return true
		}
	}
	return false
}

func (f *Fragment) validateWebhook() error {
	w := f.Webhook
	if w == nil {
		return nil
	}
	if w.Dir != "" && dirFlaw(w.Dir) != "" {
		return &FragmentError{"Webhook.Dir", fmt.Sprintf("%q %s", w.Dir, dirFlaw(w.Dir))}
	}
	for _, name := range []struct{ field, key string }{
		{"Webhook.ContainersAnnotation", w.ContainersAnnotation}, {"Webhook.RanAnnotation", w.RanAnnotation},
	} {
		if name.key != "" && !names.IsAnnotation(name.key) {
			return &FragmentError{name.field, fmt.Sprintf("%q is not a valid annotation name", name.key)}
		}
	}
	if err := validateKeys("Webhook.Annotations", w.Annotations); err != nil {
		return err
	}
	if err := validateKeys("Webhook.DefaultAnnotations", w.DefaultAnnotations); err != nil {
		return err
	}
	return validateKeys("Webhook.AliasAnnotations", w.AliasAnnotations)
}

func validateKeys(field string, annotations map[string]string) error {
	for key := range annotations {
		if !names.IsAnnotation(key) {
			invalid := slices.DeleteFunc(slices.Sorted(maps.Keys(annotations)), names.IsAnnotation)
			return &FragmentError{field, fmt.Sprintf("%q is not a valid annotation name", invalid[0])}
		}
	}
	return nil
}

// validateEnvFile checks that something writes the env file that Value refers
// to.
func (f *Fragment) validateEnvFile() error {
	switch volume := f.Value.EnvFileVolume(); {
	case volume == "":
	case volume == EnvVolume && f.Mounts(EnvVolume):
	case volume != EnvVolume && f.Webhook != nil && volume == f.Webhook.Volume:
	default:
		return &FragmentError{"Value", fmt.Sprintf("refers to an env file in volume %q, which neither InitContainers nor Webhook writes", volume)}
	}
	return nil
}
