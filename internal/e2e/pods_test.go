package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/internal/e2e/apiserver"
	"github.com/podsecrets/podsecrets/secret"
)

// restricted has the labels of a namespace that enforces the Pod Security Standard
// "restricted".
var restricted = map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}

// container returns a container that passes "restricted" without settings of the Pod,
// so that injected containers must do so too.
func container(name string) corev1.Container {
	yes, no := true, false
	return corev1.Container{
		Name:  name,
		Image: "example.test/app",
		SecurityContext: &corev1.SecurityContext{
			RunAsNonRoot:             &yes,
			AllowPrivilegeEscalation: &no,
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			SeccompProfile:           &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
	}
}

// newPod returns a Pod with one container that requests secrets.
func newPod(t testing.TB, reqs ...secret.Request) *corev1.Pod {
	t.Helper()
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{container("app")}}}
	pod.GenerateName = "pod-"
	stamp(t, &pod.ObjectMeta, reqs...)
	return pod
}

func stamp(t testing.TB, meta *metav1.ObjectMeta, reqs ...secret.Request) {
	t.Helper()
	var err error
	meta.Labels, meta.Annotations, err = secret.Stamp(meta.Labels, meta.Annotations, reqs)
	require.NoError(t, err)
}

// create creates the Pod, and returns the stored one.
func create(t testing.TB, ns string, pod *corev1.Pod) *corev1.Pod {
	t.Helper()
	return createIn(t, server, ns, pod)
}

func createIn(t testing.TB, s *apiserver.Server, ns string, pod *corev1.Pod) *corev1.Pod {
	t.Helper()
	pods := clientOf(t, s).CoreV1().Pods(ns)
	created, err := pods.Create(t.Context(), pod, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
	require.NoError(t, err)
	stored, err := pods.Get(t.Context(), created.Name, metav1.GetOptions{})
	require.NoError(t, err)
	return stored
}

// createSecret creates a Kubernetes Secret.
func createSecret(t testing.TB, s *apiserver.Server, ns, name string, data map[string]string) {
	t.Helper()
	_, err := clientOf(t, s).CoreV1().Secrets(ns).Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: data,
	}, metav1.CreateOptions{})
	require.NoError(t, err)
}

// shapes returns Pods with different containers and the same requests.
func shapes(t testing.TB, reqs ...secret.Request) map[string]*corev1.Pod {
	always := corev1.ContainerRestartPolicyAlways
	sidecar := container("mesh")
	sidecar.RestartPolicy = &always
	all := map[string]*corev1.Pod{
		"single":       newPod(t, reqs...),
		"several":      newPod(t, reqs...),
		"init":         newPod(t, reqs...),
		"sidecar":      newPod(t, reqs...),
		"own-settings": newPod(t, reqs...),
	}
	several := &all["several"].Spec
	several.Containers = append(several.Containers, container("second"), container("third"))
	all["init"].Spec.InitContainers = []corev1.Container{container("init")}
	all["sidecar"].Spec.InitContainers = []corev1.Container{container("before"), sidecar, container("after")}
	own := &all["own-settings"].Spec
	own.Volumes = []corev1.Volume{{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	own.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "scratch", MountPath: "/scratch"}}
	own.Containers[0].Env = []corev1.EnvVar{{Name: "OWN", Value: "own"}}
	return all
}
