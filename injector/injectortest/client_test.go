package injectortest

import (
	"encoding/json"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/secret"
)

// row is a recorded lookup of Flyte's client.
type row struct {
	ID      string
	What    string
	Request struct {
		Group, Key string
		Version    string `json:"group_version"`
	}
	Env    string `json:"looks_up_env"`
	File   string `json:"looks_up_file"`
	Found  string `json:"found_in"`
	Result string
}

func (r *row) request() secret.Request {
	return secret.Request{Group: r.Request.Group, Key: r.Request.Key, GroupVersion: r.Request.Version}
}

// found reports whether the client got something, whatever it was.
func (r *row) found() bool {
	switch r.Result {
	case "!ValueError", "!IsADirectoryError", "!PermissionError":
		return false
	}
	return true
}

// made is what the hand-made container of a row had, where it was not just
// what the row says was found, with the client's settings announced.
type made struct {
	prefix, filePrefix, dir string // announced
	unset                   bool   // nothing is announced
	env                     []string
	files                   []string
	change                  func(*corev1.Pod)
}

const dir = "/etc/flyte/secrets"

var containers = map[string]made{
	"A3":  {prefix: "_UNION_"},
	"A4":  {env: []string{"_UNION_GROUP_KEY"}},
	"A5":  {prefix: "_UNION_", env: []string{"_FSEC_GROUP_KEY"}},
	"A6":  {prefix: "my_", env: []string{"MY_G_K"}},
	"A7":  {prefix: "my_"},
	"A8":  {env: []string{"FLYTE_SECRETS_ENV_PREFIX", "G_K"}},
	"A9":  {prefix: " "},
	"A10": {prefix: "_UNION_"},
	"A11": {prefix: "_UNION_"},
	"A12": {prefix: "_UNION_"},
	"A13": {env: []string{"_FSEC_MY_GROUP_API_KEY"}},
	"A14": {env: []string{"_fsec_group_key"}},
	"A18": {prefix: "_UNION_", env: []string{"_UNION__KEY"}},
	"A20": {env: []string{"GROUP_KEY"}},
	"B2":  {files: []string{dir + "/g/k"}},
	"B3":  {files: []string{dir + "/g/k"}},
	"C2":  {files: []string{dir + "/MyGroup/MyKey"}},
	"C3":  {unset: true, files: []string{dir + "/g/k"}},
	"C5":  {filePrefix: "Pre-"},
	"C9":  {files: []string{dir + "/g/k"}},
	"C13": {dir: dir + "/ "},
	"C14": {unset: true, env: []string{"FLYTE_SECRETS_DEFAULT_DIR"}, files: []string{dir + "/g/k"}},
	"D2":  {prefix: "_UNION_", env: []string{"_UNION_G_K"}},
	"D3":  {env: []string{"_FSEC_G_V1_K"}},
	"D5":  {files: []string{dir + "/g/k"}},
	"G3":  {files: []string{dir + "/mysecret/latest"}},
	"G4":  {files: []string{dir + "/mysecret/latest"}},
	"G5":  {files: []string{dir + "/mysecret/v1"}},
	"G8":  {files: []string{dir + "/mysecret"}},
	"H1":  {prefix: "_UNION_"},
	"H2":  {prefix: "_UNION_", env: []string{"_UNION_MY_KEY"}},
	"H3":  {prefix: "_UNION_", env: []string{"MY_VARIABLE"}},
	"H5":  {prefix: "my_"},
	"H7":  {files: []string{dir + "/MY_KEY"}},
	"H9":  {files: []string{dir + "/my_key"}},
	"H10": {files: []string{dir + "/5d41402abc4b2a76b9719d911017c592/my-key"}},
	"H11": {prefix: "_UNION_", env: []string{"_UNION_5D41402ABC4B2A76B9719D911017C592_MY-KEY"}},
	"H13": {prefix: "_UNION_", env: []string{"MY_VARIABLE"}},
	"H14": {env: []string{"MY_VARIABLE"}},
	"H15": {env: []string{"MY_VARIABLE"}},
	"L1":  {prefix: "_UNION_", files: []string{dir + "/f/k"}},
	"L2":  {prefix: "_UNION_", env: []string{"_UNION_E_K"}},
	"M1":  {change: func(pod *corev1.Pod) { user(pod, 1000); mode(pod, 0o400) }},
	"M3": {change: func(pod *corev1.Pod) {
		user(pod, 1000)
		mode(pod, 0o440)
		pod.Spec.SecurityContext.FSGroup = ptr[int64](2000)
	}},
	"M4": {change: func(pod *corev1.Pod) { user(pod, 1000); mode(pod, 0o644) }},
}

// Rows that no Pod can show, and why.
var noPod = map[string]string{
	"A21": "the client runs outside of a cluster",
	"K3":  "the request is invalid, as its lower case differs between languages",
	"M2":  "a directory that others cannot enter; the kubelet makes none",
}

func ptr[T int64 | int32](v T) *T { return &v }

func user(pod *corev1.Pod, id int64) {
	pod.Spec.SecurityContext = &corev1.PodSecurityContext{RunAsUser: &id, RunAsGroup: &id}
}

func mode(pod *corev1.Pod, mode int32) {
	for i := range pod.Spec.Volumes {
		pod.Spec.Volumes[i].Secret.DefaultMode = &mode
	}
}

// pod makes the row's container. Each file comes from a volume of a Secret.
func (r *row) pod() *corev1.Pod {
	had := containers[r.ID]
	pod := Pod()
	c := &pod.Spec.Containers[0]
	set := func(name, value string) { c.Env = append(c.Env, corev1.EnvVar{Name: name, Value: value}) }
	if had.dir == "" && strings.HasPrefix(r.File, dir) && !had.unset {
		had.dir = dir
	}
	for name, value := range map[string]string{"FLYTE_SECRETS_ENV_PREFIX": had.prefix, "FLYTE_SECRETS_FILE_PREFIX": had.filePrefix, "FLYTE_SECRETS_DEFAULT_DIR": had.dir} {
		if value != "" {
			set(name, value)
		}
	}
	if name, ok := strings.CutPrefix(r.Found, "env:"); ok {
		set(name, "")
	}
	for _, name := range had.env {
		set(name, "")
	}
	if r.Found == "file" && had.files == nil {
		had.files = []string{r.File}
	}
	for _, file := range had.files {
		at, name := path.Split(path.Clean(file))
		volume := strings.NewReplacer("/", "-").Replace(at)
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{
			Secret: &corev1.SecretVolumeSource{Items: []corev1.KeyToPath{{Key: "k", Path: name}}},
		}})
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: volume, MountPath: path.Clean(at)})
	}
	if had.change != nil {
		had.change(pod)
	}
	return pod
}

func TestCanRead_Recorded(t *testing.T) {
	raw, err := os.ReadFile("../../mount/testdata/flytekit-rules.json")
	require.NoError(t, err)
	var rows []row
	require.NoError(t, json.Unmarshal(raw, &rows))
	require.NotEmpty(t, rows)
	seen := map[string]bool{}
	for _, r := range rows {
		seen[r.ID] = true
		t.Run(r.ID, func(t *testing.T) {
			pod := r.pod()
			err := CanRead(pod, "app", r.request())
			if reason, ok := noPod[r.ID]; ok {
				t.Log("not asked of a Pod:", reason)
				return
			}
			at, lookErr := mustFind(t, pod, "app").lookUp(r.request())
			require.NoError(t, lookErr)
			assert.Equal(t, r.Env, at.derived, r.What)
			assert.Equal(t, path.Clean(r.File), at.file, r.What)
			if r.found() {
				assert.NoError(t, err, r.What)
			} else {
				assert.Error(t, err, r.What)
				assert.NotErrorIs(t, err, ErrUnknown)
			}
		})
	}
	for id := range containers {
		assert.True(t, seen[id], "there is no row %s", id)
	}
	for id := range noPod {
		assert.True(t, seen[id], "there is no row %s", id)
	}
}

func mustFind(t *testing.T, pod *corev1.Pod, container string) *reader {
	t.Helper()
	r, err := find(pod, container)
	require.NoError(t, err)
	return r
}

// The kubelet's expansion, with the cases of its own tests and more
// (k8s.io/kubernetes, third_party/forked/golang/expansion).
func TestExpand(t *testing.T) {
	env := map[string]envValue{
		"VAR_A": {text: "A"}, "VAR_B": {text: "B"}, "VAR_C": {text: "C"}, "VAR_REF": {text: "$(VAR_A)"}, "VAR_EMPTY": {text: ""},
		"REFERENCE": {source: &corev1.EnvVarSource{}}, "MIXED": {mixed: true},
	}
	for _, tc := range []struct{ name, text, want string }{
		{"whole string", "$(VAR_A)", "A"},
		{"repeat", "$(VAR_A)-$(VAR_A)", "A-A"},
		{"beginning", "$(VAR_A)-1", "A-1"},
		{"middle", "___$(VAR_B)___", "___B___"},
		{"end", "___$(VAR_C)", "___C"},
		{"compound", "$(VAR_A)_$(VAR_B)_$(VAR_C)", "A_B_C"},
		{"escape and expand", "$$(VAR_B)_$(VAR_A)", "$(VAR_B)_A"},
		{"compound escape", "$$(VAR_A)_$$(VAR_B)", "$(VAR_A)_$(VAR_B)"},
		{"mixed in escapes", "f000-$$VAR_A", "f000-$VAR_A"},
		{"backslash is no escape", "foo\\$(VAR_C)bar", "foo\\Cbar"},
		{"backslashes are none either", "foo\\\\$(VAR_C)bar", "foo\\\\Cbar"},
		{"lots of backslashes", "foo\\\\\\\\$(VAR_A)bar", "foo\\\\\\\\Abar"},
		{"nested references", "$(VAR_A$(VAR_B))", "$(VAR_A$(VAR_B))"},
		{"a value is not expanded again", "$(VAR_REF)", "$(VAR_A)"},
		{"empty value", "[$(VAR_EMPTY)]", "[]"},
		{"undefined", "$(VAR_DNE)", "$(VAR_DNE)"},
		{"unclosed", "$(VAR_A", "$(VAR_A"},
		{"unclosed, and something behind", "$(VAR_A $(VAR_B)", "$(VAR_A $(VAR_B)"},
		{"no name", "$()", "$()"},
		{"an operator alone", "$", "$"},
		{"two of them", "$$", "$"},
		{"three and a reference", "$$$(VAR_A)", "$A"},
		{"four and a reference", "$$$$(VAR_A)", "$$(VAR_A)"},
		{"an operator before something else", "$VAR_A$", "$VAR_A$"},
		{"a closer alone", "VAR_A)", "VAR_A)"},
		{"a closer behind an unclosed one", "$$(VAR_A$(VAR_B)", "$(VAR_AB"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, mixed := expand(tc.text, env)
			assert.Equal(t, tc.want, got)
			assert.False(t, mixed)
		})
	}
	for _, text := range []string{"$(REFERENCE)", "a $(MIXED) b"} {
		_, mixed := expand(text, env)
		assert.True(t, mixed, text)
	}
	_, mixed := expand("$$(REFERENCE)", env)
	assert.False(t, mixed, "it is not referred to")
}
