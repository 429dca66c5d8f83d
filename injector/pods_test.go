package injector_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/randfill"
)

var soak = flag.Bool("soak", false, "run property tests over many more random Pods, as make soak does")

func randomPods() int {
	if *soak {
		return 60
	}
	return 3
}

// pods are the Pods over which every property must hold.
func pods(t testing.TB) map[string]*corev1.Pod {
	all := map[string]*corev1.Pod{
		"every field":               everyFieldPod(t),
		"one container":             {Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}},
		"user story":                userStoryPod(),
		"mesh":                      meshPod(),
		"empty lists and maps":      emptyListsPod(),
		"a variable twice":          twicePod(),
		"only init containers":      {Spec: corev1.PodSpec{InitContainers: []corev1.Container{{Name: "init"}}}},
		"names that need escaping":  {ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{"a~b/c": "1"}}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}},
		"ephemeral containers":      ephemeralPod(),
		"twenty containers":         manyContainersPod(),
		"another's volume and pull": otherVolumesPod(),
	}
	for seed := range int64(randomPods()) {
		all[fmt.Sprintf("random %d", seed)] = randomPod(seed)
	}
	return all
}

// everyFieldPod is Kubernetes' own Pod in which each field is set (from the
// testdata of the module k8s.io/api).
func everyFieldPod(t testing.TB) *corev1.Pod {
	raw, err := os.ReadFile("testdata/every-field-pod.json")
	require.NoError(t, err)
	pod := new(corev1.Pod)
	require.NoError(t, json.Unmarshal(raw, pod))
	return pod
}

// userStoryPod has an init container, variables of its own, and a volume of the
// Secret that it asks for.
func userStoryPod() *corev1.Pod {
	return &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: "task", Namespace: "flytesnacks-development", Labels: map[string]string{"app": "task"}},
		Spec: corev1.PodSpec{
			Volumes: []corev1.Volume{{Name: "mine", VolumeSource: corev1.VolumeSource{
				Secret: &corev1.SecretVolumeSource{SecretName: "user-info"},
			}}},
			InitContainers: []corev1.Container{{Name: "setup", Image: "setup:v1"}},
			Containers: []corev1.Container{{
				Name:  "task",
				Image: "task:v1",
				Env: []corev1.EnvVar{
					{Name: "LOG_LEVEL", Value: "info"},
					{Name: "AUTH", Value: "bearer $(_FSEC_USER-INFO_USER_SECRET)"},
				},
				VolumeMounts: []corev1.VolumeMount{{Name: "mine", MountPath: "/mine", ReadOnly: true}},
			}},
		},
	}
}

func meshPod() *corev1.Pod {
	always := corev1.ContainerRestartPolicyAlways
	return &corev1.Pod{Spec: corev1.PodSpec{
		InitContainers: []corev1.Container{
			{Name: "mesh-setup"}, {Name: "mesh-proxy", RestartPolicy: &always}, {Name: "logs", RestartPolicy: &always},
			{Name: "migrate"}, {Name: "late-sidecar", RestartPolicy: &always},
		},
		Containers: []corev1.Container{{Name: "app"}},
	}}
}

func emptyListsPod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{}, Annotations: map[string]string{}},
		Spec: corev1.PodSpec{
			Volumes: []corev1.Volume{}, InitContainers: []corev1.Container{}, ImagePullSecrets: []corev1.LocalObjectReference{},
			Containers: []corev1.Container{{Name: "app", Env: []corev1.EnvVar{}, VolumeMounts: []corev1.VolumeMount{}}},
		},
	}
}

func twicePod() *corev1.Pod {
	return &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{
		Name: "app",
		Env:  []corev1.EnvVar{{Name: "FLYTE_SECRETS_ENV_PREFIX", Value: "other"}, {Name: "FLYTE_SECRETS_ENV_PREFIX", Value: "_FSEC_"}},
	}}}}
}

func ephemeralPod() *corev1.Pod {
	pod := userStoryPod()
	pod.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug"}}}
	return pod
}

func manyContainersPod() *corev1.Pod {
	pod := new(corev1.Pod)
	for i := range 10 {
		pod.Spec.InitContainers = append(pod.Spec.InitContainers, corev1.Container{Name: fmt.Sprintf("init-%d", i)})
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{
			Name: fmt.Sprintf("app-%d", i), Env: []corev1.EnvVar{{Name: "N", Value: fmt.Sprint(i)}},
		})
	}
	return pod
}

func otherVolumesPod() *corev1.Pod {
	pod := userStoryPod()
	pod.Spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "mine"}, {Name: "pull"}}
	pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "podsecrets-demo"})
	return pod
}

// randomPod is the same Pod for the same seed, with fields set by chance.
func randomPod(seed int64) *corev1.Pod {
	pod := new(corev1.Pod)
	randfill.NewWithSeed(seed).NilChance(0.4).NumElements(1, 4).MaxDepth(12).Funcs(
		func(q *resource.Quantity, c randfill.Continue) {
			*q = *resource.NewQuantity(c.Int63n(1000), resource.DecimalSI)
		},
		func(t *metav1.Time, c randfill.Continue) { *t = metav1.NewTime(time.Unix(c.Int63n(1e9), 0).UTC()) },
		func(f *metav1.FieldsV1, _ randfill.Continue) { f.Raw = []byte("{}") },
		func(i *intstr.IntOrString, c randfill.Continue) { *i = intstr.FromInt32(c.Int31n(1000)) },
		func(s *string, c randfill.Continue) {
			*s = fmt.Sprintf("%s-%x", []string{"a", "b/c", "d~e", `f"g`, "/h", "$(i)", "é"}[c.Intn(7)], c.Int63())
		},
	).Fill(pod)
	if len(pod.Spec.Containers) == 0 {
		pod.Spec.Containers = []corev1.Container{{Name: "app"}}
	}
	return pod
}

// fillDefaults does to an injected Pod what an API server and other webhooks
// do between two calls.
func fillDefaults(pod *corev1.Pod) {
	mode, never := int32(0o400), corev1.PullNever
	for i := range pod.Spec.Volumes {
		switch v := &pod.Spec.Volumes[i]; {
		case v.Secret != nil:
			v.Secret.DefaultMode = &mode
		case v.EmptyDir != nil:
			v.EmptyDir.SizeLimit = resource.NewQuantity(1<<20, resource.BinarySI)
		case v.Projected != nil:
			v.Projected.DefaultMode = &mode
		}
	}
	pod.Spec.Volumes = append([]corev1.Volume{{Name: "kube-api-access"}}, pod.Spec.Volumes...)
	each := func(c *corev1.Container) {
		c.Image = "mirror.example.com/" + c.Image
		c.ImagePullPolicy = never
		c.TerminationMessagePath = corev1.TerminationMessagePathDefault
		c.Env = append(c.Env, corev1.EnvVar{Name: "ADDED", Value: "1"})
		c.VolumeMounts = append([]corev1.VolumeMount{{
			Name: "kube-api-access", MountPath: "/var/run/secrets/kubernetes.io/serviceaccount", ReadOnly: true,
		}}, c.VolumeMounts...)
		for i := range c.Env {
			if source := c.Env[i].ValueFrom; source != nil && source.FieldRef != nil {
				source.FieldRef.APIVersion = "v1"
			}
		}
	}
	for i := range pod.Spec.InitContainers {
		each(&pod.Spec.InitContainers[i])
	}
	for i := range pod.Spec.Containers {
		each(&pod.Spec.Containers[i])
	}
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Annotations[fmt.Sprint("added-", rand.New(rand.NewSource(1)).Int())] = "1"
}
