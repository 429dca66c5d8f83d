package injector_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Managers get the mount type of Request.Form; errors and placements keep the
// original request.
func TestServing_Form(t *testing.T) {
	exact := mount.Layout{Exact: true}
	for _, tc := range []struct {
		name   string
		layout mount.Layout
		req    secret.Request
		want   mount.Type
	}{
		{"any", mount.Layout{}, secret.Request{Group: "g", Key: "k"}, mount.Any},
		{"any-with-env", mount.Layout{}, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, mount.Any},
		{"any-with-path", mount.Layout{}, secret.Request{Group: "g", Key: "k", Path: "p"}, mount.File},
		{"any-with-mode", mount.Layout{}, secret.Request{Group: "g", Key: "k", Mode: 0o400}, mount.File},
		{"exact-with-env", exact, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, mount.EnvVar},
		{"exact-with-env-and-path", exact, secret.Request{Group: "g", Key: "k", EnvVar: "X", Path: "p"}, mount.File},
		{"exact", exact, secret.Request{Group: "g", Key: "k"}, mount.File},
		{"variable", exact, secret.Request{Group: "g", Key: "k", EnvVar: "X", Mount: mount.EnvVar}, mount.EnvVar},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var asked secret.Request
			m := always{"m", func(req secret.Request, _ mount.Target) (mount.Fragment, error) {
				asked = req
				return mount.Fragment{}, secret.ErrNotFound
			}}
			in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}, Layout: tc.layout})
			require.NoError(t, err)
			_, err = in.Plan(ctx, userStoryPod(), tc.req)
			var failed *injector.RequestError
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, tc.req, failed.Request, "as it came")
			assert.Equal(t, tc.want, asked.Mount)
			asked.Mount = tc.req.Mount
			assert.Equal(t, tc.req, asked, "nothing else differs")
		})
	}
}

// In an exact layout a variable needs EnvVar.
func TestServing_ExactWithoutEnvVar(t *testing.T) {
	in := newInjector(t, func(cfg *injector.Config) { cfg.Layout.Exact = true })
	_, err := in.Plan(ctx, userStoryPod(), secret.Request{Group: "user-info", Key: "token", Mount: mount.EnvVar})
	var invalid *secret.InvalidError
	require.ErrorAs(t, err, &invalid)
	assert.Equal(t, "envVar", invalid.Field)
}

// A fragment that ignores a part of the request does not serve it.
func TestServing_Honors(t *testing.T) {
	answering := func(name string, honors mount.Features) injector.SecretManager {
		return always{name, func(req secret.Request, _ mount.Target) (mount.Fragment, error) {
			f := fragmentOf(req)
			f.Honors = honors
			return f, nil
		}}
	}
	for _, tc := range []struct {
		name   string
		req    secret.Request
		honors mount.Features
		served bool
	}{
		{"field", secret.Request{Group: "g", Key: "k", Field: "f"}, mount.Features{Field: true}, true},
		{"field-ignored", secret.Request{Group: "g", Key: "k", Field: "f"}, mount.Features{Mode: true}, false},
		{"mode", secret.Request{Group: "g", Key: "k", Mode: 0o400}, mount.Features{Mode: true}, true},
		{"mode-ignored", secret.Request{Group: "g", Key: "k", Mode: 0o400}, mount.Features{Field: true}, false},
		{"neither-needed", secret.Request{Group: "g", Key: "k"}, mount.Features{}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in, err := injector.New(injector.Config{Managers: []injector.SecretManager{answering("first", tc.honors), answering("second", mount.Features{Field: true, Mode: true})}})
			require.NoError(t, err)
			plan, err := in.Plan(ctx, userStoryPod(), tc.req)
			require.NoError(t, err)
			want := "second"
			if tc.served {
				want = "first"
			}
			assert.Equal(t, want, plan.Placements[0].Manager)
		})
	}
}

func fragmentOf(req secret.Request) mount.Fragment {
	if req.Mount != mount.File {
		return mount.Fragment{Value: mount.Literal("v")}
	}
	return mount.Fragment{File: true, InitContainers: []mount.InitContainer{{
		Container: &corev1.Container{Name: mount.Name("m"), VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/out"}}},
		Env:       []corev1.EnvVar{{Name: "A", Value: "1"}},
	}}}
}

// A placement lists the containers that receive the secret.
func TestPlacement_Containers(t *testing.T) {
	pod := injectortest.Pod(mount.Container{Name: "mesh", Init: true, Sidecar: true}, mount.Container{Name: "web"}, mount.Container{Name: "api"})
	pod.Spec.Containers[1].Env = []corev1.EnvVar{{Name: "_FSEC_USER-INFO_TOKEN", Value: "mine"}}
	in := newInjector(t, func(cfg *injector.Config) {
		cfg.InitOrder, cfg.OnConflict = mount.InitAfterSidecars, mount.ConflictKeepPod
	})
	plan, err := in.Plan(ctx, pod,
		secret.Request{Group: "user-info", Key: "token"},
		secret.Request{Group: "user-info", Key: "other", Container: "web"},
		secret.Request{Group: "store", Key: "k", Mount: mount.EnvVar},
		secret.Request{Group: "store", Key: "k", Mount: mount.File})
	require.NoError(t, err)
	var got [][]string
	for _, p := range plan.Placements {
		got = append(got, p.Containers)
	}
	assert.Equal(t, [][]string{{"mesh", "web"}, {"web"}, {"web", "api"}, {"mesh", "web", "api"}}, got)
}

// A request for a container that does not receive fails, together with other
// failing requests.
func TestServing_UnknownContainer(t *testing.T) {
	in := newInjector(t, nil)
	_, err := in.Plan(ctx, userStoryPod(), secret.Request{Group: "user-info", Key: "a", Container: "other"}, secret.Request{Group: "user-info", Key: "b"})
	require.ErrorIs(t, err, mount.ErrNoContainer)
	assert.EqualError(t, err, `secret group="user-info" key="a" container="other": manager k8s: no container of the pod receives the requested secrets: the pod has no chosen container "other"`)
}

// A container that receives all secrets mounts the shared volume at a
// directory. A later request for that container alone would need a second
// volume there.
func TestServing_ContainerAfterAll(t *testing.T) {
	in := newInjector(t, nil)
	all := secret.Request{Group: "user-info", Key: "username", Mount: mount.File}
	one := secret.Request{Group: "user-info", Key: "password", Mount: mount.File, Container: "task"}
	_, err := in.Plan(ctx, userStoryPod(), all, one)
	require.NoError(t, err, "both at once")
	_, err = in.Plan(ctx, inject(t, in, userStoryPod(), all), all, one)
	var conflict *mount.ConflictError
	require.True(t, errors.As(err, &conflict))
	assert.Equal(t, "spec.containers[0].volumeMounts[1].mountPath", conflict.Path)
}

// What a manager can see of a Pod's spec.
func TestTarget_Pod(t *testing.T) {
	yes := true
	for name, tc := range map[string]struct {
		change      func(*corev1.Pod)
		os, account string
	}{
		"nothing":      {func(*corev1.Pod) {}, "linux", "default"},
		"spec.os":      {func(p *corev1.Pod) { p.Spec.OS = &corev1.PodOS{Name: corev1.Windows} }, "windows", "default"},
		"nodeSelector": {func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{corev1.LabelOSStable: "windows"} }, "windows", "default"},
		"label":        {func(p *corev1.Pod) { p.Labels = map[string]string{corev1.LabelOSStable: "windows"} }, "windows", "default"},
		"HostProcess": {func(p *corev1.Pod) {
			p.Spec.SecurityContext = &corev1.PodSecurityContext{WindowsOptions: &corev1.WindowsSecurityContextOptions{HostProcess: &yes}}
		}, "windows", "default"},
		"service account":    {func(p *corev1.Pod) { p.Spec.ServiceAccountName, p.Spec.DeprecatedServiceAccount = "new", "old" }, "linux", "new"},
		"deprecated account": {func(p *corev1.Pod) { p.Spec.DeprecatedServiceAccount = "old" }, "linux", "old"},
	} {
		t.Run(name, func(t *testing.T) {
			var seen []string
			m := always{"m", func(req secret.Request, target mount.Target) (mount.Fragment, error) {
				seen = append(seen, fmt.Sprint(target.OS(), " ", target.ServiceAccount(), " ", target.Template()))
				return fragmentOf(req), nil
			}}
			in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
			require.NoError(t, err)
			pod := userStoryPod()
			tc.change(pod)
			req := secret.Request{Group: "g", Key: "k"}
			inject(t, in, pod, req)
			require.True(t, in.Review(ctx, creation(toJSON(t, stamped(t, pod, req)))).Allowed)
			_, err = in.InjectTemplate(ctx, &corev1.PodTemplateSpec{ObjectMeta: pod.ObjectMeta, Spec: pod.Spec}, req)
			require.NoError(t, err)
			want := tc.os + " " + tc.account
			assert.Equal(t, []string{want + " false", want + " false", want + " true"}, seen)
		})
	}
}
