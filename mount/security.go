package mount

import corev1 "k8s.io/api/core/v1"

// Restricted returns a SecurityContext that passes the Pod Security Standard
// "restricted", whatever the Pod's own SecurityContext is: not root, no
// privilege escalation, no capabilities, the runtime's seccomp profile, and a
// read-only root file system. A nil uid sets no user, for clusters that assign
// one to each namespace, such as OpenShift; the image must then have a non-root
// user.
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
