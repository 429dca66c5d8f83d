package merge_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
)

// In a JSON pointer "~" and "/" are escaped (RFC 6901, section 3), in both forms
// of a patch.
func TestKeysInPathsAreEscaped(t *testing.T) {
	s := annotated("g", "k")
	s.Fragment.Annotations = map[string]string{"a~b/c~1": "v"}
	s.Fragment.DefaultAnnotations = nil
	change, problems := mergeAll(mount.Layout{}, []merge.Secret{s})
	require.Empty(t, problems)
	edits, problems, err := change.Decide(merge.ViewPod(annotations("other", "x")), merge.Options{})
	require.NoError(t, err)
	require.Empty(t, problems)
	assert.Equal(t, "/metadata/annotations/a~0b~1c~01", edits.Operations()[0].Path)
	text, err := edits.JSON()
	require.NoError(t, err)
	var written []struct{ Path string }
	require.NoError(t, json.Unmarshal(text, &written))
	assert.Equal(t, "/metadata/annotations/a~0b~1c~01", written[0].Path)
}

// A variable and a file of one name are one secret only if both are the same key
// of the same Secret.
func TestOneNameInTwoForms(t *testing.T) {
	variable := ref("g", "a_b") // _FSEC_G_A_B, which is read before the file of ("g_a", "b")
	file := func(source corev1.VolumeSource) merge.Secret {
		s := item("g_a", "b")
		s.Fragment.Volumes[0].VolumeSource = source
		return s
	}
	of := func(name, key string) corev1.VolumeSource {
		return corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: name, Items: []corev1.KeyToPath{{Key: key, Path: "b"}}}}
	}
	for name, tc := range map[string]struct {
		file merge.Secret
		same bool
	}{
		"the same key of the same Secret": {file(of("g", "a_b")), true},
		"another Secret":                  {file(of("h", "a_b")), false},
		"another key":                     {file(of("g", "b")), false},
		"not a Secret":                    {file(corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}), false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, secrets := range [][]merge.Secret{{variable, tc.file}, {tc.file, variable}} {
				_, problems := mergeAll(mount.Layout{}, secrets)
				if tc.same {
					assert.Empty(t, problems)
				} else if assert.Len(t, problems, 1) {
					assert.ErrorContains(t, problems[0].Err, `env "_FSEC_G_A_B" would be read before the file`)
					assert.Equal(t, 1, problems[0].Secret)
					assert.Equal(t, 0, problems[0].Other)
				}
			}
		})
	}
}

// The kubelet makes mount points in a Secret's volume, though that is read-only:
// of ours, which an earlier call has mounted, too.
func TestAMountBelowOneOfOursThatIsThere(t *testing.T) {
	first, more := item("g", "a"), item("g/h", "b")
	change, problems := mergeAll(mount.Layout{}, []merge.Secret{first})
	require.Empty(t, problems)
	edits, problems, err := change.Decide(merge.ViewPod(app(nil)), merge.Options{})
	require.NoError(t, err)
	require.Empty(t, problems)
	pod := edits.Apply(app(nil))
	require.True(t, pod.Spec.Containers[0].VolumeMounts[0].ReadOnly)

	change, problems = mergeAll(mount.Layout{}, []merge.Secret{first, more})
	require.Empty(t, problems)
	edits, problems, err = change.Decide(merge.ViewPod(pod), merge.Options{})
	require.NoError(t, err)
	assert.Empty(t, problems)
	assert.Equal(t, "/etc/flyte/secrets/g/h", edits.Apply(pod).Spec.Containers[0].VolumeMounts[1].MountPath)
}

// The limit on literals is of literals alone, and reported once.
func TestTheLimitOnLiterals(t *testing.T) {
	decide := func(secrets []merge.Secret) []merge.Problem {
		change, problems := mergeAll(mount.Layout{}, secrets)
		require.Empty(t, problems)
		_, problems, err := change.Decide(merge.ViewPod(app(nil)), merge.Options{})
		require.NoError(t, err)
		return problems
	}
	var literals, references []merge.Secret
	for i := range 12 {
		literals = append(literals, literal("g", fmt.Sprint("k", i), strings.Repeat("v", 100<<10)))
	}
	for i := range 6 {
		references = append(references, ref("g", fmt.Sprint("k", i)+strings.Repeat("k", 100<<10)))
	}
	assert.Empty(t, decide(literals[:5]), "500 KiB, and the names")
	problems := decide(literals)
	require.Len(t, problems, 1)
	assert.Equal(t, 5, problems[0].Secret, "the one that goes beyond")
	assert.Empty(t, decide(references), "600 KiB, but names and not literals")
}

func TestFetchersBehindASidecarThatIsFirst(t *testing.T) {
	always := corev1.ContainerRestartPolicyAlways
	pod := app(nil)
	pod.Spec.InitContainers = []corev1.Container{{Name: "mesh", RestartPolicy: &always}, {Name: "setup"}}
	change, problems := mergeAll(mount.Layout{}, []merge.Secret{fetched("g", "k")})
	require.Empty(t, problems)
	edits, problems, err := change.Decide(merge.ViewPod(pod), merge.Options{InitOrder: mount.AfterSidecars})
	require.NoError(t, err)
	require.Empty(t, problems)
	assert.Equal(t, mount.Name("fetch", "g", "k"), edits.Apply(pod).Spec.InitContainers[1].Name)
}

// What several secrets share is a problem of each, within the limit.
func TestProblemsThatAreShared(t *testing.T) {
	decide := func(pod *corev1.Pod, secrets []merge.Secret) []merge.Problem {
		change, problems := mergeAll(mount.Layout{}, secrets)
		require.Empty(t, problems)
		_, problems, err := change.Decide(merge.ViewPod(pod), merge.Options{})
		require.NoError(t, err)
		return problems
	}
	both := []merge.Secret{item("g", "a"), with(item("g", "a"), envVar("X"))}
	problems := decide(secretVolume(volumeName("g"), "g", corev1.KeyToPath{Key: "other", Path: "a"}), both)
	require.Len(t, problems, 2)
	assert.Equal(t, []int{0, 1}, []int{problems[0].Secret, problems[1].Secret})

	var many []merge.Secret
	for i := range 1001 {
		many = append(many, ref("g", fmt.Sprint("k", i)))
	}
	assert.Len(t, decide(env(mount.EnvPrefixVar, "other"), many), 1000)
}

func TestAnAnnotationThatSeveralNeed(t *testing.T) {
	change, problems := mergeAll(mount.Layout{}, []merge.Secret{annotated("g", "a"), annotated("g", "b")})
	require.Empty(t, problems)
	_, problems, err := change.Decide(merge.ViewPod(annotations("agent/inject", "false")), merge.Options{})
	require.NoError(t, err)
	require.Len(t, problems, 2)
	assert.Equal(t, []int{0, 1}, []int{problems[0].Secret, problems[1].Secret})
}
