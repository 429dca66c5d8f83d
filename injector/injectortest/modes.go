package injectortest

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

func modeOf(mode *int32) int32 {
	if mode == nil {
		return corev1.SecretVolumeSourceDefaultMode // the same for the other kinds
	}
	return *mode
}

// mayRead returns an error if the container's user is known to lack access to a
// file with that mode, or if another mode is required. The kubelet creates such
// files for root and group 0. With an fsGroup it changes the group to that,
// which all processes of the Pod have, and makes the files readable for it.
func (r *reader) mayRead(mode int32) error {
	switch {
	case r.mode != 0 && mode != r.mode:
		return fmt.Errorf("its mode is %#o, not %#o", mode, r.mode)
	case r.windows:
		return nil
	}
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
	root := (nonRoot == nil || !*nonRoot) && (user == nil || *user == 0) // or possibly root
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
