package injectortest

import (
	"errors"
	"fmt"
	"path"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// starts returns an error if the container is known not to start: the kubelet
// needs the env files of all its variables, even optional ones and those that a
// later variable replaces.
func (r *reader) starts() error {
	for i := range r.Env {
		v := &r.Env[i]
		if v.ValueFrom == nil || v.ValueFrom.FileKeyRef == nil {
			continue
		}
		if err := r.envFile(v.ValueFrom.FileKeyRef); err != nil && !errors.Is(err, ErrUnknown) {
			return fmt.Errorf("it does not start, as variable %s needs the file %q of volume %q: %w",
				v.Name, v.ValueFrom.FileKeyRef.Path, v.ValueFrom.FileKeyRef.VolumeName, err)
		}
	}
	return nil
}

// resolves returns an error unless a variable is known to get its value.
func (r *reader) resolves(v envValue) error {
	if v.source == nil || v.source.FileKeyRef == nil {
		return nil
	}
	return r.envFile(v.source.FileKeyRef)
}

// envFile returns nil if the file exists when the container starts.
func (r *reader) envFile(ref *corev1.FileKeySelector) error {
	file := path.Clean(ref.Path)
	at := slices.IndexFunc(r.pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == ref.VolumeName })
	if at >= 0 {
		if r.pod.Spec.Volumes[at].EmptyDir == nil {
			return errors.New("the volume is not an emptyDir")
		}
		return r.fetched(ref.VolumeName, file, r.writesEnv, "Case.WritesEnv")
	}
	for i := range agents {
		a := &agents[i]
		if _, will := a.willMount(r.pod.Annotations); will && ref.VolumeName == a.volume {
			return r.agentWritesEnvFile(a, file)
		}
	}
	// API servers refuse a Pod without the volume, so another webhook will add
	// it.
	return fmt.Errorf("%w what writes an env file into volume %q, which is not in the pod", ErrUnknown, ref.VolumeName)
}
