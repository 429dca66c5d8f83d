package injectortest

import (
	"fmt"
	"path"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// starts returns an error if the container does not start: the kubelet needs the
// env files of all its variables, optional or not, also of those that a later
// variable replaces.
func (r *reader) starts() error {
	for i := range r.Env {
		v := &r.Env[i]
		if v.ValueFrom == nil || v.ValueFrom.FileKeyRef == nil {
			continue
		}
		if err := r.envFile(v.ValueFrom.FileKeyRef); err != nil {
			return fmt.Errorf("it does not start, as variable %s needs the file %q of volume %q: %w",
				v.Name, v.ValueFrom.FileKeyRef.Path, v.ValueFrom.FileKeyRef.VolumeName, err)
		}
	}
	return nil
}

// envFile returns nil if the file is there when the container starts.
func (r *reader) envFile(ref *corev1.FileKeySelector) error {
	file := path.Clean(ref.Path)
	at := slices.IndexFunc(r.pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == ref.VolumeName })
	if at >= 0 {
		if r.pod.Spec.Volumes[at].EmptyDir == nil {
			return fmt.Errorf("the volume is no emptyDir")
		}
		return r.fetched(ref.VolumeName, file, r.writesEnv, "Case.WritesEnv")
	}
	for i := range agents {
		a := &agents[i]
		if _, will := a.willMount(r.pod.Annotations); will && ref.VolumeName == a.volume {
			return r.agentBringsEnvFile(a, file)
		}
	}
	return fmt.Errorf("the pod has no such volume")
}
