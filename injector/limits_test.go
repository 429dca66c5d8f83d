package injector_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// manyRequests returns n different requests for one Secret.
func manyRequests(n int, as mount.Type) []secret.Request {
	reqs := make([]secret.Request, n)
	for i := range reqs {
		reqs[i] = secret.Request{Group: "g", Key: fmt.Sprintf("k%d", i), Mount: as}
	}
	return reqs
}

func TestLimits_Requests(t *testing.T) {
	in := newInjector(t, nil)
	reqs := make([]secret.Request, injector.MaxRequests+1)
	for i := range reqs {
		reqs[i] = secret.Request{Group: "g", Key: "k"}
	}
	_, err := in.Plan(ctx, userStoryPod(), reqs[1:]...)
	require.NoError(t, err)
	_, err = in.Plan(ctx, userStoryPod(), reqs...)
	var limit *injector.LimitError
	require.True(t, errors.As(err, &limit), "%v", err)
	assert.Equal(t, injector.LimitError{What: "requests", Has: 10_001, Max: 10_000}, *limit)
}

// A review refuses with one sentence what exceeds a limit, and accepts what
// reaches it.
func TestLimits_Review(t *testing.T) {
	asking := func() *corev1.Pod { return stamped(t, userStoryPod(), secret.Request{Group: "g", Key: "k"}) }
	annotated := func(size int) []byte {
		pod := asking()
		pod.Annotations["a"] = ""
		for name, value := range pod.Annotations {
			size -= len(name) + len(value)
		}
		pod.Annotations["a"] = strings.Repeat("v", size)
		return toJSON(t, pod)
	}
	// A field that this library does not know comes first in the JSON.
	with := func(field string) []byte {
		return []byte(`{"future":` + field + "," + string(toJSON(t, asking())[1:]))
	}
	sized := func(size int) []byte { return with(`"` + strings.Repeat("x", size-len(with(`""`))) + `"`) }
	nested := func(depth int) []byte { return with(strings.Repeat("[", depth) + strings.Repeat("]", depth)) }
	request := func(size int) []byte {
		group := strings.Repeat(strings.Repeat("g", 99)+"/", 100)[:size-4] + "x/y"
		return toJSON(t, stamped(t, userStoryPod(), secret.Request{Group: group, Key: "k", Mount: mount.File}))
	}
	for _, tc := range []struct {
		name string
		raw  []byte
		code int32 // 0: allowed
		want string
	}{
		{"largest annotations", annotated(256 << 10), 0, ""},
		{"annotations too large", annotated(256<<10 + 1), 413, "the pod has too many bytes of annotations: 262145 (maximum 262144)"},
		{"largest pod", sized(3 << 20), 0, ""},
		{"pod too large", sized(3<<20 + 1), 413, "the pod has too many bytes of JSON: 3145729 (maximum 3145728)"},
		{"deepest unknown field", nested(9_999), 0, ""},
		{"too deep", nested(10_000), 400, "the pod cannot be decoded: invalid character '[' exceeded max depth"},
		{"longest request", request(4096), 0, ""},
		{"request too long", request(4097), 422, "key: makes the request longer than 4096 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := newInjector(t, nil)
			response := in.Review(ctx, creation(tc.raw))
			if tc.code == 0 {
				require.True(t, response.Allowed, "%+v", response.Result)
				return
			}
			require.False(t, response.Allowed)
			assert.Equal(t, tc.code, response.Result.Code)
			assert.NotEmpty(t, response.Result.Reason)
			assert.True(t, strings.HasSuffix(response.Result.Message, tc.want), response.Result.Message)
			assert.Equal(t, injector.OutcomeDenied, response.AuditAnnotations[injector.AuditOutcome])
		})
	}
}

// API servers pass the message on to users and logs.
func TestLimits_Messages(t *testing.T) {
	annotations := map[string]string{}
	for i := range 100 {
		annotations[fmt.Sprintf("flyte.secrets/s0%d", i)] = ""
	}
	response := newInjector(t, nil).Review(ctx, creation(toJSON(t, map[string]any{"metadata": map[string]any{"annotations": annotations}})))
	require.False(t, response.Allowed)
	assert.Equal(t, 20, strings.Count(response.Result.Message, "must end in a number"), "annotations that cannot be decoded")
	assert.True(t, strings.HasSuffix(response.Result.Message, "; and 80 more"), response.Result.Message)

	pod := stamped(t, userStoryPod(), secret.Request{Group: strings.Repeat("é\x01", 10_000), Key: "k"})
	response = newInjector(t, nil).Review(ctx, creation(toJSON(t, pod)))
	require.False(t, response.Allowed)
	assert.LessOrEqual(t, len(response.Result.Message), 16<<10+3, "a request that is long when quoted")
	assert.True(t, strings.HasPrefix(response.Result.Message, `secret group="é\x01é\x01`), "it begins as it would")
}

// allocated returns how many bytes f allocates. Tests of this package do not
// run in parallel.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

var growthCases = []struct {
	name string
	make func(n int) (*corev1.Pod, []secret.Request)
}{
	{"requested variables", func(n int) (*corev1.Pod, []secret.Request) {
		return userStoryPod(), manyRequests(n, mount.EnvVar)
	}},
	{"keys of one group", func(n int) (*corev1.Pod, []secret.Request) {
		return userStoryPod(), manyRequests(n, mount.File)
	}},
	{"groups", func(n int) (*corev1.Pod, []secret.Request) {
		reqs := manyRequests(n, mount.File)
		for i := range reqs {
			reqs[i].Group = fmt.Sprintf("g%d", i)
		}
		return userStoryPod(), reqs
	}},
	{"fetched", func(n int) (*corev1.Pod, []secret.Request) {
		reqs := manyRequests(n, mount.File)
		for i := range reqs {
			reqs[i].Group = "fetch"
		}
		return userStoryPod(), reqs
	}},
	{"requests from Vault", func(n int) (*corev1.Pod, []secret.Request) {
		reqs := manyRequests(n, mount.File)
		for i := range reqs {
			reqs[i].Group = "secret/data/g"
		}
		return userStoryPod(), reqs
	}},
	{"the same request", func(n int) (*corev1.Pod, []secret.Request) {
		reqs := manyRequests(n, mount.File)
		for i := range reqs {
			reqs[i].Key = "k"
		}
		return userStoryPod(), reqs
	}},
	{"conflicting requests", func(n int) (*corev1.Pod, []secret.Request) {
		reqs := manyRequests(n, mount.EnvVar)
		for i := range reqs {
			reqs[i].EnvVar = "SAME"
		}
		return userStoryPod(), reqs
	}},
	{"requests not served", func(n int) (*corev1.Pod, []secret.Request) {
		reqs := manyRequests(n, mount.EnvVar)
		for i := range reqs {
			reqs[i].Group = "a b"
		}
		return userStoryPod(), reqs
	}},
	{"variables of the pod", func(n int) (*corev1.Pod, []secret.Request) {
		pod := userStoryPod()
		for i := range n {
			pod.Spec.Containers[0].Env = append(pod.Spec.Containers[0].Env, corev1.EnvVar{Name: fmt.Sprintf("V%d", i), Value: "v"})
		}
		return pod, manyRequests(3, mount.EnvVar)
	}},
	{"volumes and mounts of the pod", func(n int) (*corev1.Pod, []secret.Request) {
		pod := userStoryPod()
		pod.Spec.Volumes, pod.Spec.Containers[0].VolumeMounts = manyVolumes(n)
		return pod, manyRequests(3, mount.File)
	}},
	{"containers", func(n int) (*corev1.Pod, []secret.Request) {
		pod := &corev1.Pod{}
		for i := range n {
			pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: fmt.Sprintf("c%d", i)})
		}
		return pod, manyRequests(3, mount.EnvVar)
	}},
}

// Ten times as much input takes about ten times as much memory. Maps and slices
// that double account for the rest; quadratic growth would take a hundred times
// as much.
func TestGrowth_Memory(t *testing.T) {
	for _, tc := range growthCases {
		t.Run(tc.name, func(t *testing.T) {
			in := newInjector(t, nil)
			cost := func(n int) float64 {
				pod, reqs := tc.make(n)
				return float64(allocated(func() { in.Patch(ctx, pod, reqs...) }))
			}
			cost(10) // what is made once only
			few, many := cost(1_000), cost(10_000)
			assert.Less(t, many/few, 16.0, "%.0f bytes, then %.0f", few, many)
		})
	}
}

func manyVolumes(n int) (volumes []corev1.Volume, mounts []corev1.VolumeMount) {
	for i := range n {
		name := fmt.Sprintf("v%d", i)
		volumes = append(volumes, corev1.Volume{Name: name})
		mounts = append(mounts, corev1.VolumeMount{Name: name, MountPath: "/mine/" + name})
	}
	return volumes, mounts
}

// A review ends with its context, both before the first manager is called and
// between two managers.
func TestReview_Canceled(t *testing.T) {
	for _, cancelAt := range []int{0, 1, 3} {
		t.Run(fmt.Sprint("at ", cancelAt), func(t *testing.T) {
			ending, cancel := context.WithCancel(ctx)
			defer cancel()
			asked := 0
			m := always{"m", func(secret.Request, mount.Target) (mount.Fragment, error) {
				if asked++; asked == cancelAt {
					cancel()
				}
				return mount.Fragment{Value: mount.Literal("")}, nil
			}}
			if cancelAt == 0 {
				cancel()
			}
			in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
			require.NoError(t, err)
			response := in.Review(ending, creation(toJSON(t, stamped(t, userStoryPod(), manyRequests(10, mount.Any)...))))
			require.False(t, response.Allowed)
			assert.Equal(t, int32(504), response.Result.Code)
			assert.Equal(t, "injector: context canceled", response.Result.Message)
			assert.Equal(t, injector.OutcomeFailed, response.AuditAnnotations[injector.AuditOutcome])
			assert.Nil(t, response.Patch)
			assert.Equal(t, cancelAt, asked, "managers are asked although the time is up")
		})
	}
}
