package injectortest

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

var errNoVolume = errors.New("no volume is mounted at or above it")

// file returns nil if the container finds a readable file at the path when it
// starts.
func (r *reader) file(p string) error {
	p = r.clean(p)
	var deepest *corev1.VolumeMount // at or above the file
	depth := -1
	for i := range r.VolumeMounts {
		m := &r.VolumeMounts[i]
		at := r.clean(m.MountPath)
		if _, below := strings.CutPrefix(at, p+"/"); below {
			return fmt.Errorf("it is a directory, as %s is mounted below", at)
		}
		if _, ok := relative(at, p); ok && len(at) > depth {
			deepest, depth = m, len(at)
		}
	}
	// API servers refuse two volumes at the same path.
	for i := range agents {
		a := &agents[i]
		if dir, ok := a.willMount(r.pod.Annotations); ok && len(dir) > depth {
			if _, ok := relative(dir, p); ok {
				return r.agentProvides(a, p)
			}
		}
	}
	if deepest == nil {
		return errNoVolume
	}
	return r.mounted(deepest, p)
}

// relative returns the path of p relative to dir, "" if they are equal.
func relative(dir, p string) (string, bool) {
	rest, ok := strings.CutPrefix(p, strings.TrimSuffix(dir, "/"))
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return strings.TrimPrefix(rest, "/"), true
}

// mounted returns nil if the mount has a file at the path.
func (r *reader) mounted(m *corev1.VolumeMount, p string) error {
	if m.SubPathExpr != "" {
		return fmt.Errorf("%w what subPathExpr %q is", ErrUnknown, m.SubPathExpr)
	}
	i := slices.IndexFunc(r.pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
	if i < 0 {
		return fmt.Errorf("the pod has no volume %q", m.Name)
	}
	rel, _ := relative(r.clean(m.MountPath), p)
	file := path.Join(r.fold(m.SubPath), rel)
	if file == "" {
		return fmt.Errorf("it is a directory, where volume %q is mounted", m.Name)
	}
	v := &r.pod.Spec.Volumes[i]
	if v.EmptyDir != nil {
		return r.fetched(v.Name, file, r.writes, "Case.Writes")
	}
	all, known := filesOf(&v.VolumeSource)
	if !known {
		return fmt.Errorf("%w what is in volume %q", ErrUnknown, v.Name)
	}
	return r.oneOf(all, v.Name, file)
}

// files are some files of a volume: items, or all keys of an object.
type files struct {
	items  []corev1.KeyToPath
	object bool // all keys of a Secret or a ConfigMap
	mode   *int32
}

func filesOf(v *corev1.VolumeSource) (all []files, known bool) {
	object := func(items []corev1.KeyToPath, mode *int32) {
		all = append(all, files{items, len(items) == 0, mode})
	}
	field := func(items []corev1.DownwardAPIVolumeFile, mode *int32) {
		f := files{mode: mode}
		for _, it := range items {
			f.items = append(f.items, corev1.KeyToPath{Path: it.Path, Mode: it.Mode})
		}
		all = append(all, f)
	}
	switch {
	case v.Secret != nil:
		object(v.Secret.Items, v.Secret.DefaultMode)
	case v.ConfigMap != nil:
		object(v.ConfigMap.Items, v.ConfigMap.DefaultMode)
	case v.DownwardAPI != nil:
		field(v.DownwardAPI.Items, v.DownwardAPI.DefaultMode)
	case v.Projected != nil:
		for _, s := range v.Projected.Sources {
			switch mode := v.Projected.DefaultMode; {
			case s.Secret != nil:
				object(s.Secret.Items, mode)
			case s.ConfigMap != nil:
				object(s.ConfigMap.Items, mode)
			case s.DownwardAPI != nil:
				field(s.DownwardAPI.Items, mode)
			case s.ServiceAccountToken != nil:
				all = append(all, files{items: []corev1.KeyToPath{{Path: s.ServiceAccountToken.Path}}, mode: mode})
			}
		}
	default:
		return nil, false
	}
	return all, true
}

// oneOf returns nil if the volume has the file.
func (r *reader) oneOf(all []files, volume, file string) error {
	for _, f := range all {
		for _, it := range f.items {
			switch at := r.fold(path.Clean(it.Path)); {
			case strings.HasPrefix(at, file+"/"):
				return fmt.Errorf("it is a directory of volume %q", volume)
			case at == file && it.Mode != nil:
				return r.mayRead(*it.Mode)
			case at == file:
				return r.mayRead(modeOf(f.mode))
			}
		}
		if f.object && !strings.Contains(file, "/") {
			return r.mayRead(modeOf(f.mode))
		}
	}
	return fmt.Errorf("volume %q has no file %q", volume, file)
}
