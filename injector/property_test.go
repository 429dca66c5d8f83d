package injector_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

var ctx = context.Background()

// forAll runs a property over every Pod, every set of requests and both orders.
func forAll(t *testing.T, property func(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request)) {
	for _, order := range []mount.InitOrder{mount.InitFirst, mount.InitAfterSidecars} {
		in := newInjector(t, func(cfg *injector.Config) { cfg.InitOrder = order })
		for podName, pod := range pods(t) {
			for reqsName, reqs := range requestSets {
				reqs, ok := requestsFor(pod, reqs)
				if !ok {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%v", podName, reqsName, order), func(t *testing.T) {
					property(t, in, pod.DeepCopy(), slices.Clone(reqs))
				})
			}
		}
	}
}

// requestsFor puts the name of the Pod's first container into requests for one.
// It is not ok if the name is none that a container can have.
func requestsFor(pod *corev1.Pod, reqs []secret.Request) (of []secret.Request, ok bool) {
	of = slices.Clone(reqs)
	for i := range of {
		if of[i].Container == "" {
			continue
		}
		if len(pod.Spec.Containers) == 0 {
			return nil, false
		}
		of[i].Container = pod.Spec.Containers[0].Name
		if of[i].Validate() != nil {
			return nil, false
		}
	}
	return of, true
}

func inject(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs ...secret.Request) *corev1.Pod {
	t.Helper()
	out, err := in.Inject(ctx, pod, reqs...)
	require.NoError(t, err)
	return out
}

func toJSON(t testing.TB, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return raw
}

// applyPatch applies a patch with the engine that the API server uses.
func applyPatch(t testing.TB, patch, to []byte) []byte {
	t.Helper()
	decoded, err := jsonpatch.DecodePatch(patch)
	require.NoError(t, err)
	out, err := decoded.Apply(to)
	require.NoError(t, err, "%s", patch)
	return out
}

func TestInject_InputUnchanged(t *testing.T) {
	forAll(t, func(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request) {
		given, givenReqs := withSpare(pod), slices.Grow(slices.Clone(reqs), 3)
		_, err := in.Inject(ctx, given, givenReqs...)
		require.NoError(t, err)
		_, err = in.Patch(ctx, given, givenReqs...)
		require.NoError(t, err)
		plan, err := in.Plan(ctx, given, givenReqs...)
		require.NoError(t, err)
		plan.Pod()
		plan.Patch()
		_, err = in.InjectTemplate(ctx, &corev1.PodTemplateSpec{ObjectMeta: given.ObjectMeta, Spec: given.Spec}, givenReqs...)
		require.Equal(t, onlyInPods(givenReqs), err != nil)
		assert.Equal(t, pod, given)
		assert.True(t, slices.Equal(reqs, givenReqs), "the requests changed")
		assert.Empty(t, spareChanged(given), "wrote behind the end of a caller's slice")
	})
}

func TestInject_InputHelpers(t *testing.T) {
	pod := withSpare(userStoryPod())
	require.Empty(t, spareChanged(pod))
	_ = append(pod.Spec.Containers[0].Env, corev1.EnvVar{Name: "A"})
	assert.NotEmpty(t, spareChanged(pod))

	shared := userStoryPod()
	other := *shared
	scramble(&other)
	assert.NotEqual(t, userStoryPod(), shared)
}

func TestInject_ResultsNotShared(t *testing.T) {
	forAll(t, func(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request) {
		given := pod.DeepCopy()
		first := inject(t, in, given, reqs...)
		plan, err := in.Plan(ctx, given, reqs...)
		require.NoError(t, err)
		patch, err := in.Patch(ctx, given, reqs...)
		require.NoError(t, err)
		wantPod, wantPatch := toJSON(t, first), toJSON(t, patch)

		scramble(first)
		scramble(patch)
		scramble(plan.Pod())
		scramble(plan.Patch())
		assert.Equal(t, pod, given, "a change of the result shows in the input")
		assert.JSONEq(t, string(wantPod), string(toJSON(t, inject(t, in, given, reqs...))), "a change of the result shows in the next one")

		scramble(given)
		assert.JSONEq(t, string(wantPod), string(toJSON(t, plan.Pod())), "a change of the input shows in the plan")
		assert.JSONEq(t, string(wantPatch), string(toJSON(t, plan.Patch())), "a change of the input shows in the plan")
	})
}

func TestPatch_SameAsInject(t *testing.T) {
	forAll(t, func(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request) {
		ops, err := in.Patch(ctx, pod, reqs...)
		require.NoError(t, err)
		require.NotNil(t, ops)
		for _, op := range ops {
			assert.Equal(t, "add", op.Operation)
		}
		patched := applyPatch(t, toJSON(t, ops), toJSON(t, pod))
		assert.JSONEq(t, string(toJSON(t, inject(t, in, pod, reqs...))), string(patched))
	})
}

func TestInject_Idempotent(t *testing.T) {
	forAll(t, func(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request) {
		once := inject(t, in, pod, reqs...)
		assert.Equal(t, once, inject(t, in, once, reqs...))

		fillDefaults(once)
		ops, err := in.Patch(ctx, once, reqs...)
		require.NoError(t, err)
		assert.Empty(t, ops, "after defaults were filled in")
	})
}

func TestInject_MoreRequests(t *testing.T) {
	forAll(t, func(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request) {
		for n := range reqs {
			first := inject(t, in, pod, reqs[:n]...)
			fillDefaults(first)
			second := inject(t, in, first, reqs...)
			assertOnlyGrew(t, first, second)
			assert.Equal(t, second, inject(t, in, second, reqs...), "a third call adds something")

			all := inject(t, in, pod, reqs...)
			for i := range all.Spec.Containers {
				assert.ElementsMatch(t, names(all.Spec.Containers[i].Env), slices.DeleteFunc(names(second.Spec.Containers[i].Env), func(n string) bool { return n == "ADDED" }))
			}
		}
	})
}

// A container that another webhook added since the first call gets the same
// secrets, and nothing else changes.
func TestInject_IdempotentContainers(t *testing.T) {
	forAll(t, func(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request) {
		once := inject(t, in, pod, reqs...)
		fillDefaults(once)
		once.Spec.Containers = append(once.Spec.Containers, corev1.Container{Name: "added-later"})
		again := inject(t, in, once, reqs...)
		added := again.Spec.Containers[len(again.Spec.Containers)-1]
		fresh := pod.DeepCopy()
		fresh.Spec.Containers = append(fresh.Spec.Containers, corev1.Container{Name: "added-later"})
		want := inject(t, in, fresh, reqs...)
		assert.Equal(t, want.Spec.Containers[len(want.Spec.Containers)-1], added)
		again.Spec.Containers[len(again.Spec.Containers)-1] = corev1.Container{Name: "added-later"}
		assert.Equal(t, once, again, "nothing else changes")
	})
}

// assertOnlyGrew checks that each list of the first Pod is kept in its order.
func assertOnlyGrew(t *testing.T, first, second *corev1.Pod) {
	t.Helper()
	volumeNames := func(pod *corev1.Pod) (names []string) {
		for _, v := range pod.Spec.Volumes {
			names = append(names, v.Name)
		}
		return names
	}
	assert.True(t, subsequence(volumeNames(first), volumeNames(second)), "volumes moved")
	each := func(pod *corev1.Pod) (names []string, byName map[string]corev1.Container) {
		byName = map[string]corev1.Container{}
		for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
			names = append(names, c.Name)
			byName[c.Name] = c
		}
		return names, byName
	}
	firstNames, firstContainers := each(first)
	secondNames, secondContainers := each(second)
	assert.True(t, subsequence(firstNames, secondNames), "containers moved")
	for name, c := range firstContainers {
		assert.True(t, subsequence(names(c.Env), names(secondContainers[name].Env)), "variables of %s moved", name)
		assert.True(t, equality.Semantic.DeepEqual(c.VolumeMounts, secondContainers[name].VolumeMounts[:len(c.VolumeMounts)]), "mounts of %s moved", name)
	}
}

func names(env []corev1.EnvVar) (names []string) {
	for _, e := range env {
		names = append(names, e.Name)
	}
	return names
}

func subsequence(part, whole []string) bool {
	for _, s := range whole {
		if len(part) > 0 && part[0] == s {
			part = part[1:]
		}
	}
	return len(part) == 0
}

func TestInject_Deterministic(t *testing.T) {
	forAll(t, func(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request) {
		other := newInjector(t, func(cfg *injector.Config) { cfg.InitOrder = orderOf(t) })
		first, err := in.Patch(ctx, pod, reqs...)
		require.NoError(t, err)
		for range 3 {
			again, err := other.Patch(ctx, pod.DeepCopy(), slices.Clone(reqs)...)
			require.NoError(t, err)
			assert.Equal(t, string(toJSON(t, first)), string(toJSON(t, again)))
		}
	})
}

func orderOf(t *testing.T) mount.InitOrder {
	if strings.HasSuffix(t.Name(), mount.InitAfterSidecars.String()) {
		return mount.InitAfterSidecars
	}
	return mount.InitFirst
}

func TestPlan_HidesValues(t *testing.T) {
	in := newInjector(t, nil)
	reqs := requestSets["variables"]
	plan, err := in.Plan(ctx, userStoryPod(), reqs...)
	require.NoError(t, err)
	require.Contains(t, string(toJSON(t, plan.Pod())), "c4nary", "the value is in the Pod")
	for _, v := range []any{plan, *plan, plan.Placements, in, *in} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			assert.False(t, strings.Contains(fmt.Sprintf(format, v), "c4nary"), "%s of %T shows the value", format, v)
		}
	}
	assert.NotContains(t, string(toJSON(t, plan)), "c4nary")

	pod := userStoryPod()
	pod.Spec.Containers[0].Env = append(pod.Spec.Containers[0].Env, corev1.EnvVar{Name: "GLOBAL", Value: "mine"})
	_, err = in.Inject(ctx, pod, reqs...)
	require.Error(t, err)
	assert.NotContains(t, fmt.Sprintf("%+v %#v", err, err), "c4nary")
}
