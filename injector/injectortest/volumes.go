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

// file returns nil if the container sees a file at the path when it starts, and
// may read it.
func (r *reader) file(p string) error {
	var over *corev1.VolumeMount // the deepest at or above the file
	depth := -1
	for i := range r.VolumeMounts {
		m := &r.VolumeMounts[i]
		at := path.Clean("/" + m.MountPath)
		if _, below := strings.CutPrefix(at, p+"/"); below {
			return fmt.Errorf("it is a directory, as %s is mounted below", at)
		}
		if _, ok := relative(at, p); ok && len(at) > depth {
			over, depth = m, len(at)
		}
	}
	// With two volumes mounted at one path the API server would refuse the Pod.
	if dir, ok := vaultDir(r.pod.Annotations); ok && len(dir) > depth {
		if _, ok := relative(dir, p); ok {
			return r.vaultFile(dir, p)
		}
	}
	if over == nil {
		return errNoVolume
	}
	return r.mounted(over, p)
}

// relative returns the path of p below dir, "" if they are the same.
func relative(dir, p string) (string, bool) {
	rest, ok := strings.CutPrefix(p, strings.TrimSuffix(dir, "/"))
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return strings.TrimPrefix(rest, "/"), true
}

// mounted returns nil if the mount shows a file at the path.
func (r *reader) mounted(m *corev1.VolumeMount, p string) error {
	if m.SubPathExpr != "" {
		return fmt.Errorf("%w what subPathExpr %q is", ErrUnknown, m.SubPathExpr)
	}
	i := slices.IndexFunc(r.pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
	if i < 0 {
		return fmt.Errorf("the pod has no volume %q", m.Name)
	}
	rel, _ := relative(path.Clean("/"+m.MountPath), p)
	file := path.Join(m.SubPath, rel)
	if file == "" {
		return fmt.Errorf("it is a directory, where volume %q is mounted", m.Name)
	}
	v := &r.pod.Spec.Volumes[i]
	if v.EmptyDir != nil {
		return r.fetched(v.Name, file)
	}
	all, known := filesOf(&v.VolumeSource)
	if !known {
		return fmt.Errorf("%w what is in volume %q", ErrUnknown, v.Name)
	}
	return r.oneOf(all, v.Name, file)
}

// files are some of a volume: those of items, or whatever keys an object has.
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

// oneOf returns nil if the file is one of a volume's.
func (r *reader) oneOf(all []files, volume, file string) error {
	for _, f := range all {
		for _, it := range f.items {
			switch at := path.Clean(it.Path); {
			case strings.HasPrefix(at, file+"/"):
				return fmt.Errorf("it is a directory of volume %q", volume)
			case at == file && it.Mode != nil:
				return r.may(*it.Mode)
			case at == file:
				return r.may(modeOf(f.mode))
			}
		}
		if f.object && !strings.Contains(file, "/") {
			return r.may(modeOf(f.mode))
		}
	}
	return fmt.Errorf("volume %q has no file %q", volume, file)
}

func modeOf(mode *int32) int32 {
	if mode == nil {
		return corev1.SecretVolumeSourceDefaultMode // and that of the other kinds
	}
	return *mode
}

// may returns an error if the container's user is known not to be allowed to
// read a file of that mode. The kubelet makes such files root's and of group 0.
// With an fsGroup it gives them that group, which all of the Pod's processes
// have, and lets it read.
func (r *reader) may(mode int32) error {
	var user, group *int64
	var nonRoot *bool
	groups := []int64(nil)
	if s := r.pod.Spec.SecurityContext; s != nil {
		if s.FSGroup != nil {
			return nil
		}
		user, group, nonRoot, groups = s.RunAsUser, s.RunAsGroup, s.RunAsNonRoot, s.SupplementalGroups
	}
	if s := r.SecurityContext; s != nil {
		user, group, nonRoot = or(s.RunAsUser, user), or(s.RunAsGroup, group), or(s.RunAsNonRoot, nonRoot)
	}
	root := (nonRoot == nil || !*nonRoot) && (user == nil || *user == 0) // or may be
	// Without runAsGroup the group is the image's, or 0.
	ofGroup := group == nil || *group == 0 || slices.Contains(groups, 0)
	switch {
	case root && mode&0o400 != 0, ofGroup && mode&0o040 != 0, mode&0o004 != 0:
		return nil
	}
	return fmt.Errorf("its mode is %#o, and the container's user is neither root nor in its group", mode)
}

func or[T any](own, pods *T) *T {
	if own != nil {
		return own
	}
	return pods
}
