package injector_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// FuzzReview: any bytes give a patch or a message. For Pods that an API server
// can send, the patched bytes are the injected Pod, and a second review changes
// nothing.
func FuzzReview(f *testing.F) {
	in := newInjector(f, nil)
	for _, pod := range []*corev1.Pod{userStoryPod(), meshPod(), emptyListsPod(), twicePod(), everyFieldPod(f)} {
		for _, reqs := range requestSets {
			f.Add(toJSON(f, stamped(f, pod, reqs...)))
		}
	}
	for _, seed := range []string{
		"", "null", "{}", "[]", "{", `{"metadata":null,"spec":null}`, `{"metadata":{"annotations":{"flyte.secrets/s0":""}},"spec":{"containers":[null,{}],"volumes":null}}`,
		`{"metadata":{"annotations":{"flyte.secrets/s00":""}}}`, `{"metadata":{"annotations":{"flyte.secrets/s0":1}}}`, `{"Metadata":{"Annotations":{"flyte.secrets/s0":"nnsxsoraejwxsx2lmv3secq"}}}`,
		`{"spec":{"containers":[{"name":"a","name":"b"}]},"spec":{}}`, strings.Repeat("[", 20_000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		checkResponse(t, in, raw)
		pod := new(corev1.Pod)
		if utiljson.Unmarshal(raw, pod) != nil {
			return
		}
		sent, err := json.Marshal(pod)
		require.NoError(t, err)
		allowed := checkResponse(t, in, sent)

		pod.Namespace = "flytesnacks-development"
		reqs, err := secret.DecodeAnnotations(pod.Annotations)
		var want *corev1.Pod
		if err == nil && !isMirror(pod) {
			want, err = in.Inject(ctx, pod, reqs...)
		}
		switch {
		case err != nil && !isMirror(pod):
			require.False(t, allowed, "Inject fails: %v", err)
			return
		case want == nil:
			return
		}
		require.True(t, allowed, "Inject does not fail")
		got := sent
		if patch := in.Review(ctx, creation(sent)).Patch; patch != nil {
			got = applyPatch(t, patch, sent)
			require.Nil(t, in.Review(ctx, creation(got)).Patch, "once is not enough")
		}
		after := new(corev1.Pod)
		require.NoError(t, utiljson.Unmarshal(got, after))
		after.Namespace = pod.Namespace
		require.JSONEq(t, string(toJSON(t, want)), string(toJSON(t, after)))
	})
}

func isMirror(pod *corev1.Pod) bool {
	_, mirror := pod.Annotations[corev1.MirrorPodAnnotationKey]
	return mirror
}

// checkResponse checks what holds for every response.
func checkResponse(t *testing.T, in *injector.Injector, raw []byte) (allowed bool) {
	t.Helper()
	response := in.Review(ctx, creation(raw))
	outcome := response.AuditAnnotations[injector.AuditOutcome]
	switch {
	case string(response.UID) != "uid-1":
		t.Error("another UID")
	case !response.Allowed && (response.Patch != nil || response.Result.Message == "" || response.Result.Code < 400 || response.Result.Reason == ""):
		t.Errorf("a refusal with a patch or without a message: %+v", response.Result)
	case !response.Allowed && outcome != injector.OutcomeDenied && outcome != injector.OutcomeFailed:
		t.Errorf("a refusal with the outcome %s", outcome)
	case !response.Allowed && strings.Contains(response.Result.Message, "c4nary"):
		t.Error("the message shows a value")
	case (response.Patch != nil) != (outcome == injector.OutcomeInjected):
		t.Errorf("a patch, or none, with the outcome %s", outcome)
	case response.Patch != nil && !json.Valid(response.Patch):
		t.Error("the patch is not JSON")
	}
	return response.Allowed
}

// chance makes choices of bytes. When there are no more, it takes the first.
type chance struct{ bytes []byte }

func (c *chance) upTo(n int) int {
	if len(c.bytes) == 0 {
		return 0
	}
	b := int(c.bytes[0])
	c.bytes = c.bytes[1:]
	return b % n
}

func pick[T any](c *chance, from ...T) T { return from[c.upTo(len(from))] }

// request is one of those that get in each other's way.
func (c *chance) request() secret.Request {
	return secret.Request{
		Group:        pick(c, "g", "G", "g_k", "global", "fetch", "fetch/g", "annotate", "driver", "secret/g", "database/g", arn, ""),
		Key:          pick(c, "k", "K", "token", "a/b", "a", "k-AbCdEf", "..data", ""),
		GroupVersion: pick(c, "", "v", "k", "kv1", "db"),
		Mount:        pick(c, mount.Any, mount.EnvVar, mount.File),
		EnvVar:       pick(c, "", "X", "_FSEC_G_K", "A"),
	}
}

// pod has in it what gets in the way of the requests, or is what they add.
func (c *chance) pod() *corev1.Pod {
	volume := func() string {
		return pick(c, "mine", mount.Name("k8s", "g"), mount.FetchVolume, mount.Name("driver", "driver"))
	}
	list := func(n int, add func()) {
		for range c.upTo(n) {
			add()
		}
	}
	container := func() (out corev1.Container) {
		out.Name = pick(c, "app", "other", mount.Name("fetch", "fetch", "", "k"), mount.Name("aws", arn+":k-AbCdEf", "/"+arn+"/k-abcdef"))
		if c.upTo(3) == 1 {
			always := corev1.ContainerRestartPolicyAlways
			out.RestartPolicy = &always
		}
		list(4, func() {
			v := corev1.EnvVar{Name: pick(c, "_FSEC_G_K", "X", mount.EnvPrefixVar, mount.DefaultDirVar, mount.FilePrefixVar, "TO", "A"), Value: pick(c, "_FSEC_", "/etc/flyte/secrets", "", "mine")}
			if c.upTo(3) == 1 {
				v.Value, v.ValueFrom = "", &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "g"}, Key: "k"}}
			}
			out.Env = append(out.Env, v)
		})
		list(4, func() {
			out.VolumeMounts = append(out.VolumeMounts, corev1.VolumeMount{
				Name: volume(), MountPath: pick(c, "/etc/flyte/secrets/g", "/etc/flyte/secrets", "/etc", "/etc/flyte/secrets/g/k", "/etc/flyte/secrets/g/k/x", "etc/flyte/../flyte/secrets/", "/x"),
				ReadOnly: c.upTo(2) == 1, SubPath: pick(c, "", "sub"),
			})
		})
		return out
	}
	pod := new(corev1.Pod)
	list(4, func() {
		v := corev1.Volume{Name: volume()}
		switch c.upTo(4) {
		case 0:
			v.Secret = &corev1.SecretVolumeSource{SecretName: pick(c, "g", "h")}
			list(3, func() {
				v.Secret.Items = append(v.Secret.Items, corev1.KeyToPath{Key: pick(c, "k", "K", "x"), Path: pick(c, "k", "v/k", "k/k", "a", "v")})
			})
		case 1:
			v.EmptyDir = &corev1.EmptyDirVolumeSource{Medium: pick(c, corev1.StorageMediumMemory, corev1.StorageMediumDefault)}
		case 2:
			v.HostPath = &corev1.HostPathVolumeSource{Path: "/"}
		}
		pod.Spec.Volumes = append(pod.Spec.Volumes, v)
	})
	list(4, func() { pod.Spec.InitContainers = append(pod.Spec.InitContainers, container()) })
	pod.Spec.Containers = append(pod.Spec.Containers, container())
	list(3, func() { pod.Spec.Containers = append(pod.Spec.Containers, container()) })
	list(3, func() {
		if pod.Annotations == nil {
			pod.Annotations = map[string]string{}
		}
		pod.Annotations[pick(c, "agent.example.com/inject", "vault.hashicorp.com/role", "vault.hashicorp.com/agent-inject-status", "vault.hashicorp.com/secret-volume-path")] = pick(c, "true", "injected", "/x")
	})
	return pod
}

// FuzzPod: whatever names a Pod uses, injection fails completely or keeps its
// guarantees: the patch matches the Pod, injection is idempotent, nothing in
// the Pod changes, and no error shows a value.
func FuzzPod(f *testing.F) {
	f.Add([]byte(nil))
	for i := range byte(64) {
		f.Add(slices.Repeat([]byte{1, i, i % 5, i % 3}, 12))
	}
	injectors := make([]*injector.Injector, 4)
	for i := range injectors {
		injectors[i] = newInjector(f, func(cfg *injector.Config) {
			cfg.InitOrder, cfg.OnConflict = mount.InitOrder(i%2), mount.ConflictPolicy(i/2)
		})
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		c := &chance{choices}
		in := pick(c, injectors...)
		reqs := []secret.Request{c.request()}
		for range c.upTo(4) {
			reqs = append(reqs, c.request())
		}
		checkPromises(t, in, c.pod(), reqs)
	})
}

func checkPromises(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request) {
	given := pod.DeepCopy()
	after, err := in.Inject(ctx, given, reqs...)
	patch, patchErr := in.Patch(ctx, given, reqs...)
	require.Equal(t, pod, given, "the input is changed")
	require.Equal(t, fmt.Sprint(err), fmt.Sprint(patchErr))
	if err != nil {
		require.Nil(t, after)
		require.Nil(t, patch)
		require.False(t, strings.Contains(fmt.Sprintf("%+v", err), "c4nary"), "the error shows a value")
		return
	}
	require.JSONEq(t, string(toJSON(t, after)), string(applyPatch(t, toJSON(t, patch), toJSON(t, pod))))
	assertOnlyGrew(t, pod, after)
	again, err := in.Inject(ctx, after, reqs...)
	require.NoError(t, err, "what is injected conflicts with itself")
	require.Equal(t, after, again, "once is not enough")
}
