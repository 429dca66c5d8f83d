package injectortest

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// Pod returns a small valid Pod named "pod", in the namespace "default", that
// passes the Pod Security Standard "restricted". It has the given containers in
// order; those with Init or Sidecar are init containers. If all of them are
// init containers, it also has a container "app". The image is
// "registry.example.com/program:v1". Each call returns a new Pod.
//
//	injectortest.Pod(mount.Container{Name: "migrate", Init: true}, mount.Container{Name: "web"})
func Pod(containers ...mount.Container) *corev1.Pod {
	yes := true
	pod := &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: "pod", Namespace: metav1.NamespaceDefault},
		Spec: corev1.PodSpec{SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot:   &yes,
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		}},
	}
	for _, c := range containers {
		switch {
		case c.Sidecar:
			always := corev1.ContainerRestartPolicyAlways
			sidecar := container(c.Name)
			sidecar.RestartPolicy = &always
			pod.Spec.InitContainers = append(pod.Spec.InitContainers, sidecar)
		case c.Init:
			pod.Spec.InitContainers = append(pod.Spec.InitContainers, container(c.Name))
		default:
			pod.Spec.Containers = append(pod.Spec.Containers, container(c.Name))
		}
	}
	if len(pod.Spec.Containers) == 0 {
		pod.Spec.Containers = []corev1.Container{container("app")}
	}
	return pod
}

func container(name string) corev1.Container {
	no := false
	return corev1.Container{
		Name:  name,
		Image: "registry.example.com/program:v1",
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: &no,
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
	}
}
