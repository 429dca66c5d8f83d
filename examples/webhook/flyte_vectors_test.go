package main

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/examples/webhook/internal/flyte"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// vector is an entry of testdata/flyte/vectors.yaml: the result of requests in Flyte,
// and how this webhook compares.
type vector struct {
	Name     string
	Release  uint8
	Config   string
	Labels   map[string]string
	Requests []struct {
		Group, Key   string
		GroupVersion string `yaml:"groupVersion"`
		Mount        string
		EnvVar       string `yaml:"envVar"`
	}
	Env, Files map[string]string
	Refused    string
	Result     string
	Reason     string
	Unread     bool // some call finds the secret with Flyte only
}

func vectors(t testing.TB) (all []vector) {
	text, err := os.ReadFile("testdata/flyte/vectors.yaml")
	require.NoError(t, err)
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(&all))
	require.Greater(t, len(all), 50)
	return all
}

func (v *vector) requests(t testing.TB) (reqs []secret.Request) {
	for _, r := range v.Requests {
		form := mount.Any
		if r.Mount != "" {
			var err error
			form, err = mount.ParseType(r.Mount)
			require.NoError(t, err)
		}
		reqs = append(reqs, secret.Request{Group: r.Group, Key: r.Key, GroupVersion: r.GroupVersion, Mount: form, EnvVar: r.EnvVar})
	}
	return reqs
}

// pod returns a Pod with the labels and annotations that the release sets.
func (v *vector) pod(t testing.TB, reqs []secret.Request) *corev1.Pod {
	labels := maps.Clone(v.Labels)
	if labels == nil {
		labels = map[string]string{"project": "flytesnacks", "domain": "development"}
		if v.Release == 2 {
			labels["organization"] = "flyte"
		}
	}
	pod := injectortest.Pod()
	var err error
	pod.Labels, pod.Annotations, err = secret.Stamp(labels, nil, reqs)
	require.NoError(t, err)
	return pod
}

func (v *vector) injector(t testing.TB) (*config, *injector.Injector) {
	cfg, _, err := parseDocuments([]document{{text: []byte(v.Config)}}, flyte.Release(v.Release))
	require.NoError(t, err)
	in, err := cfg.injector(logged)
	require.NoError(t, err)
	return cfg, in
}

// A container has the same variables and files as with Flyte, or more, or the vector
// explains the difference.
func TestFlyte_Vectors(t *testing.T) {
	t.Setenv("FLYTE_SECRET_SHARED_TOKEN", "the global secret")
	names := map[string]bool{}
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			assert.False(t, names[v.Name], "duplicate name")
			names[v.Name] = true
			assert.Equal(t, v.Result == "differs", v.Reason != "", "differing vectors have a reason, others have none")
			assert.Equal(t, v.Refused == "", len(v.Env)+len(v.Files) > 0, "refused, or has variables or files")
			reqs := v.requests(t)
			cfg, in := v.injector(t)
			pod, err := in.Inject(t.Context(), v.pod(t, reqs), reqs...)
			if err != nil {
				if v.Refused != "" {
					assert.Equal(t, "same", v.Result, "refused here too: %v", err)
				} else {
					assert.Equal(t, "differs", v.Result, "refused here: %v", err)
				}
				return
			}
			if v.Refused != "" {
				assert.Equal(t, "superset", v.Result, "served here")
				return
			}
			env, files := observe(t, pod)
			assert.Equal(t, compare(v, env, files), v.Result, "Flyte: %v %v\nhere: %v %v", v.Env, v.Files, env, files)
			v.assertRead(t, cfg, pod, reqs)
		})
	}
}

func compare(v vector, env, files map[string]string) string {
	contains := func(all, some map[string]string) bool {
		for name, value := range some {
			if all[name] != value {
				return false
			}
		}
		return true
	}
	switch {
	case !contains(env, v.Env) || !contains(files, v.Files):
		return "differs"
	case len(env) == len(v.Env) && len(files) == len(v.Files):
		return "same"
	}
	return "superset"
}

// assertRead asserts that every call of Flyte 1's client that finds a secret in
// Flyte's container finds it in ours. The same holds for Flyte 2's users, who read
// the requested variable or the file named by the key.
func (v *vector) assertRead(t *testing.T, cfg *config, pod *corev1.Pod, reqs []secret.Request) {
	layout := cfg.Layout.layout()
	var unread []error
	for _, req := range reqs {
		for _, call := range []secret.Request{
			{Group: req.Group, GroupVersion: req.GroupVersion, Key: req.Key},
			{Group: req.Group, Key: req.Key},
			{Group: req.Group, GroupVersion: req.GroupVersion},
			{Key: req.Key},
		} {
			variable := v.Env[layout.EnvVar(call.Group, call.GroupVersion, call.Key)]
			file := v.Files[layout.Path(call.Group, call.GroupVersion, call.Key)]
			if call.Validate() == nil && variable+file != "" {
				unread = append(unread, injectortest.CanRead(pod, "app", call))
			}
		}
		if v.Env[req.EnvVar] != "" {
			unread = append(unread, injectortest.CanReadExact(pod, "app", "", exact(req)))
		}
		if v.Files[layout.WithDefaults().Dir+"/"+req.Key] != "" {
			unread = append(unread, injectortest.CanReadExact(pod, "app", "", secret.Request{Key: req.Key, Path: req.Key, Mount: mount.File}))
		}
	}
	if err := errors.Join(unread...); v.Unread {
		assert.Error(t, err, "the vector claims that some call fails")
	} else {
		assert.NoError(t, err)
	}
}

// exact returns a request for the variable as read by a program without Flyte's
// client. A variable with a path is checked together with its file.
func exact(req secret.Request) secret.Request {
	if req.Mount != mount.File {
		return secret.Request{Key: "k", Mount: mount.EnvVar, EnvVar: req.EnvVar}
	}
	file := strings.TrimPrefix(mount.Layout{}.Path(req.Group, "", req.Key), "/etc/flyte/secrets/")
	return secret.Request{Key: "k", Mount: mount.File, Path: file, EnvVar: req.EnvVar}
}
