package mount

import corev1 "k8s.io/api/core/v1"

// Restricted returns a SecurityContext that passes the Pod Security Standard
// "restricted", whatever the Pod's own says: not root, no privilege escalation,
// no capabilities, the runtime's seccomp profile, and a read-only root. With nil
// it names no user, for clusters that assign one to each namespace, as OpenShift
// does; the image must then have a user that is not root.
func Restricted(uid *int64) *corev1.SecurityContext {
	yes, no := true, false
	if uid != nil {
		own := *uid
		uid = &own
	}
	return &corev1.SecurityContext{
		RunAsNonRoot:             &yes,
		RunAsUser:                uid,
		AllowPrivilegeEscalation: &no,
		ReadOnlyRootFilesystem:   &yes,
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		SeccompProfile:           &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
}
