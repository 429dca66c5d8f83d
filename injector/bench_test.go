package injector_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gomodules.xyz/jsonpatch/v2"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/internal/fetch"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

// A size is how large a Pod of the benchmarks is.
type size struct {
	name                  string
	containers, variables int
}

var sizes = []size{{"1x15", 1, 15}, {"4x30", 4, 30}, {"10x50", 10, 50}}

// benchPod is a Pod as a Deployment makes it and an API server sends it to a
// webhook: with defaults, a volume, resources and probes.
func benchPod(s size) *corev1.Pod {
	pod := &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			GenerateName: "task-5d9c7b9f4-", Namespace: "flytesnacks-development",
			Labels:      map[string]string{"app": "task", "pod-template-hash": "5d9c7b9f4", secret.InjectLabel: "true"},
			Annotations: map[string]string{"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
		},
		Spec: corev1.PodSpec{
			ServiceAccountName: "default", RestartPolicy: corev1.RestartPolicyNever, SchedulerName: "default-scheduler",
			Volumes: []corev1.Volume{{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
		},
	}
	limits := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2"), corev1.ResourceMemory: resource.MustParse("500Mi")}
	for i := range s.containers {
		c := corev1.Container{
			Name: fmt.Sprintf("task-%d", i), Image: "cr.example.com/flyte/task:v1.16.3",
			Args:                     []string{"pyflyte-execute", "--inputs", "s3://bucket/metadata/inputs.pb", "--output-prefix", "s3://bucket/metadata/data/0"},
			Resources:                corev1.ResourceRequirements{Limits: limits, Requests: limits},
			VolumeMounts:             []corev1.VolumeMount{{Name: "scratch", MountPath: "/scratch"}},
			TerminationMessagePath:   corev1.TerminationMessagePathDefault,
			TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
			ImagePullPolicy:          corev1.PullIfNotPresent,
		}
		for j := range s.variables {
			c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprintf("FLYTE_INTERNAL_SETTING_%d", j), Value: fmt.Sprintf("flytesnacks-%d", j)})
		}
		pod.Spec.Containers = append(pod.Spec.Containers, c)
	}
	return pod
}

// fetchedByOne fetches as the managers of cloud stores do.
var fetchedByOne = fake{"store", func(req secret.Request, target mount.Target) (mount.Fragment, error) {
	if req.Mount == mount.Any {
		req.Mount = mount.File
	}
	return fetch.Fragment(fetchContainer, nil, req, target.Layout(), "", fetch.Item{ID: req.Group}), nil
}}

var fetchContainer = fetch.Container("store", corev1.Container{Image: "registry.example.com/fetch:v1"})

// A store is a manager of the benchmarks, and the requests that it serves.
type store struct {
	name    string
	manager injector.SecretManager
	request func(i int) secret.Request
}

func stores(t testing.TB) []store {
	aws, err := awssm.New(awssm.Config{})
	require.NoError(t, err)
	vaults, err := vault.New(vault.Config{})
	require.NoError(t, err)
	values := values{}
	for i := range 4000 {
		values[fmt.Sprintf("group-%d/token", i)] = "value"
	}
	held, err := global.New(global.Config{Source: values})
	require.NoError(t, err)
	return []store{
		{"k8s", k8s(t), func(i int) secret.Request {
			return secret.Request{Group: fmt.Sprintf("group-%d", i), Key: "token"}
		}},
		{"k8s-file", k8s(t), func(i int) secret.Request {
			return secret.Request{Group: fmt.Sprintf("group-%d", i), Key: "token", Mount: mount.File}
		}},
		{"vault", vaults, func(i int) secret.Request {
			return secret.Request{Group: "secret/data/task", Key: fmt.Sprintf("token-%d", i), GroupVersion: "kv2"}
		}},
		{"aws", aws, func(i int) secret.Request {
			return secret.Request{Group: arn, Key: fmt.Sprintf("token-%d-AbCdEf", i)}
		}},
		{"fetched", fetchedByOne, func(i int) secret.Request {
			return secret.Request{Group: "store", Key: fmt.Sprintf("token-%d", i), Mount: mount.File}
		}},
		{"global", held, func(i int) secret.Request {
			return secret.Request{Group: fmt.Sprintf("group-%d", i), Key: "token"}
		}},
	}
}

// A workload is a Pod, what it asks for, and who serves it.
type workload struct {
	in    *injector.Injector
	store string
	pod   *corev1.Pod
	reqs  []secret.Request
	ask   *admissionv1.AdmissionRequest // the same, as an API server sends it
}

func newWorkload(t testing.TB, pod *corev1.Pod, s store, secrets int) workload {
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{s.manager}})
	require.NoError(t, err)
	w := workload{in: in, store: s.name, pod: pod}
	for i := range secrets {
		w.reqs = append(w.reqs, s.request(i))
	}
	asking := pod
	if secrets > 0 {
		asking = stamped(t, pod, w.reqs...)
	}
	w.ask = creation(toJSON(t, asking))
	return w
}

// namedWorkload returns the workload of a Pod's size and a store's name.
func namedWorkload(t testing.TB, podSize, storeName string, secrets int) workload {
	for _, size := range sizes {
		for _, store := range stores(t) {
			if size.name == podSize && store.name == storeName {
				return newWorkload(t, benchPod(size), store, secrets)
			}
		}
	}
	t.Fatalf("there is no %s %s", podSize, storeName)
	return workload{}
}

// workloads runs a benchmark over Pods of all sizes, all managers, and 1 to 100
// secrets.
func workloads(b *testing.B, run func(b *testing.B, w workload)) {
	for _, size := range sizes {
		for _, store := range stores(b) {
			for _, secrets := range []int{1, 3, 10, 100} {
				w := newWorkload(b, benchPod(size), store, secrets)
				b.Run(fmt.Sprintf("pod=%s/manager=%s/secrets=%d", size.name, store.name, secrets), func(b *testing.B) {
					b.ReportAllocs()
					run(b, w)
				})
			}
		}
	}
}

func BenchmarkInject(b *testing.B) {
	workloads(b, func(b *testing.B, w workload) {
		for b.Loop() {
			if _, err := w.in.Inject(ctx, w.pod, w.reqs...); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPatch(b *testing.B) {
	workloads(b, func(b *testing.B, w workload) {
		for b.Loop() {
			if _, err := w.in.Patch(ctx, w.pod, w.reqs...); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkReview makes of the bytes of a Pod the bytes of a patch.
func BenchmarkReview(b *testing.B) {
	workloads(b, func(b *testing.B, w workload) {
		for b.Loop() {
			if r := w.in.Review(ctx, w.ask); r.Patch == nil {
				b.Fatal(r.Result)
			}
		}
	})
}

// reviewByDiff does the same in the usual way: decode the Pod, inject, marshal,
// and compare the two documents.
func reviewByDiff(in *injector.Injector, ask *admissionv1.AdmissionRequest) ([]byte, error) {
	pod := new(corev1.Pod)
	if err := json.Unmarshal(ask.Object.Raw, pod); err != nil {
		return nil, err
	}
	reqs, err := secret.DecodeAnnotations(pod.Annotations)
	if err != nil {
		return nil, err
	}
	if pod, err = in.Inject(ctx, pod, reqs...); err != nil {
		return nil, err
	}
	injected, err := json.Marshal(pod)
	if err != nil {
		return nil, err
	}
	ops, err := jsonpatch.CreatePatch(ask.Object.Raw, injected)
	if err != nil {
		return nil, err
	}
	return json.Marshal(ops)
}
