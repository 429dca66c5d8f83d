package node

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// restricted has the labels of a namespace that enforces the Pod Security Standard
// "restricted".
var restricted = map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}

func ptr[T any](v T) *T { return &v }

// container returns a reader that passes "restricted" by itself.
func container(name string) corev1.Container {
	return corev1.Container{
		Name:  name,
		Image: readImage,
		SecurityContext: &corev1.SecurityContext{
			RunAsNonRoot:             ptr(true),
			AllowPrivilegeEscalation: ptr(false),
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			SeccompProfile:           &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
	}
}

func sidecar(name string) corev1.Container {
	c := container(name)
	c.RestartPolicy = ptr(corev1.ContainerRestartPolicyAlways)
	c.Args = []string{"-sleep=1h"}
	return c
}

// newPod returns a Pod with the containers, or with one named "app".
func newPod(containers ...corev1.Container) *corev1.Pod {
	if len(containers) == 0 {
		containers = []corev1.Container{container("app")}
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "pod-"},
		Spec:       corev1.PodSpec{Containers: containers},
	}
}

// withMount adds a volume to the Pod, and mounts it in all containers.
func withMount(pod *corev1.Pod, name, dir string, source corev1.VolumeSource) {
	pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: source})
	eachContainer(pod, func(c *corev1.Container) {
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: name, MountPath: dir})
	})
}

var emptyDir = corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}

func eachContainer(pod *corev1.Pod, do func(*corev1.Container)) {
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			do(&list[i])
		}
	}
}

// isReader reports whether a container is the Pod's own reader.
func isReader(c *corev1.Container) bool { return !mount.IsName(c.Name) && c.Image == readImage }

// onNode returns a copy of the Pod that runs on the node, by default once.
func onNode(pod *corev1.Pod) *corev1.Pod {
	pod = pod.DeepCopy()
	pod.Spec.NodeName = Name
	if pod.Spec.RestartPolicy == "" {
		pod.Spec.RestartPolicy = corev1.RestartPolicyNever
	}
	if pod.Spec.AutomountServiceAccountToken == nil {
		pod.Spec.AutomountServiceAccountToken = ptr(false)
	}
	if pod.Spec.TerminationGracePeriodSeconds == nil {
		pod.Spec.TerminationGracePeriodSeconds = ptr(int64(2))
	}
	eachContainer(pod, func(c *corev1.Container) { c.ImagePullPolicy = corev1.PullNever })
	return pod
}

// createSecret creates a Kubernetes Secret.
func createSecret(t testing.TB, ns, name string, data map[string][]byte) {
	t.Helper()
	_, err := client.CoreV1().Secrets(ns).Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: data}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}
