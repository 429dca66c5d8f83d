package merge_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
)

func TestFiles_BetweenRequests(t *testing.T) {
	noAlias := func(s *merge.Secret) { s.Fragment.Webhook.AliasAnnotations = nil }
	const inOneVolume = "volumes(podsecrets-fetched) containers/0/env(*,*) containers/0/volumeMounts(/etc/flyte/secrets) "
	run(t, []row{
		{name: "one-file-with-alias", why: "the alias holds the same secret", secrets: []merge.Secret{with(webhookFile("g", "k"), noAlias), with(webhookFile("g", "k"), version("v"))},
			adds: "/metadata/annotations containers/0/env(*,*)"},
		{name: "one-file", secrets: []merge.Secret{fetched("g", "Key"), fetched("g", "key")}, index: 1, want: `files "/etc/flyte/secrets/g/key" would hold two different secrets`},
		{name: "same-twice", secrets: []merge.Secret{fetched("g", "k"), with(fetched("g", "k"), envVar("X"))},
			adds: "volumes(podsecrets-fetched) containers/0/env(*,*,X) containers/0/volumeMounts(/etc/flyte/secrets) initContainers(ours)"},
		{name: "exact-case", why: "exact names keep their case", secrets: []merge.Secret{with(fetched("g", "a"), exactly("X")), with(fetched("g", "b"), exactly("x"))}, adds: inOneVolume + "initContainers(ours,ours)"},
		{name: "exact-path-twice", secrets: []merge.Secret{with(fetched("g", "a"), exactly("x")), with(fetched("g", "b"), exactly("x"))}, index: 1,
			want: `files "/etc/flyte/secrets/x" would hold two different secrets`},
		{name: "file-is-directory", secrets: []merge.Secret{fetched("g", "k/x"), fetched("g", "k")}, index: 1,
			want: `files "/etc/flyte/secrets/g/k" would be both a file and a directory`},
		{name: "file-below-file", secrets: []merge.Secret{fetched("g", "k"), fetched("g", "k/x")}, index: 1,
			want: `files "/etc/flyte/secrets/g/k/x" would be below another file, "/etc/flyte/secrets/g/k"`},
		{name: "hidden", secrets: []merge.Secret{fetched("g", "a"), item("g", "b")}, index: 1,
			want: `files "/etc/flyte/secrets/g/a" would be hidden by the volume mounted at "/etc/flyte/secrets/g"`},
		{name: "hidden-later", secrets: []merge.Secret{item("g", "b"), fetched("g", "a")}, index: 1,
			want: `files "/etc/flyte/secrets/g/a" would be hidden by the volume mounted at "/etc/flyte/secrets/g"`},
		{name: "file-is-mount", secrets: []merge.Secret{fetched("", "g"), item("g", "b")}, index: 1,
			want: `files "/etc/flyte/secrets/g/b" would be below another file, "/etc/flyte/secrets/g"`},
		{name: "beside", secrets: []merge.Secret{fetched("g", "a"), item("h", "b")},
			adds: "volumes(podsecrets-fetched,ours) containers/0/env(*,*) containers/0/volumeMounts(/etc/flyte/secrets,/etc/flyte/secrets/h) initContainers(ours)"},
	})
}

// Every file that a mount hides is reported, up to the limit.
func TestFiles_ManyConflicts(t *testing.T) {
	decide := func(pod *corev1.Pod, secrets []merge.Secret) ([]merge.Problem, error) {
		change, problems := mergeAll(mount.Layout{}, secrets)
		require.Empty(t, problems)
		_, problems, err := change.Decide(merge.ViewPod(pod), merge.Options{})
		return problems, err
	}
	problems, err := decide(mounts("/etc/flyte/secrets/g", false), []merge.Secret{webhookFile("g", "a"), webhookFile("h", "b"), webhookFile("g", "c")})
	require.NoError(t, err)
	require.Len(t, problems, 2)
	assert.Equal(t, 0, problems[0].Secret)
	assert.Equal(t, 2, problems[1].Secret)

	// Each of many mounts hides each of many files. Reporting or only comparing all
	// pairs would exceed the test's time limit.
	var files []merge.Secret
	for i := range 20_000 {
		files = append(files, fetched("g", fmt.Sprint("k", i)))
	}
	hiding := app(func(c *corev1.Container) {
		for range 20_000 {
			c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "mine", MountPath: "/etc/flyte/secrets/g"})
		}
	})
	problems, err = decide(hiding, files)
	require.NoError(t, err)
	assert.Len(t, problems, 1000)
}
