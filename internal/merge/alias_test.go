package merge_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

func versioned(s *merge.Secret) { s.GroupVersion, s.Fragment.Versioned = "v", true }

func versionedIn(v string) func(*merge.Secret) {
	return func(s *merge.Secret) { s.GroupVersion, s.Fragment.Versioned = v, true }
}

type aliasCase struct {
	name    string
	pod     *corev1.Pod
	layout  mount.Layout
	secrets []merge.Secret
	want    string // variables that hold secrets, then items of volumes as key=path
}

// A request with a version gets the primary name, and the alias if it can exist.
func TestAliases_Variables(t *testing.T) {
	runAliases(t, []aliasCase{
		{name: "variable", secrets: []merge.Secret{with(ref("g", "k"), version("v"))}, want: "_FSEC_G_K _FSEC_G_V_K"},
		{name: "variable-versioned", secrets: []merge.Secret{with(ref("g", "k"), versioned)}, want: "_FSEC_G_V_K _FSEC_G_K"},
		{name: "literal", secrets: []merge.Secret{with(literal("g", "k", "x"), version("v"))}, want: "_FSEC_G_K _FSEC_G_V_K"},
		{name: "two-versions", secrets: []merge.Secret{with(ref("g", "k"), version("v")), with(ref("g", "k"), version("w"))}, want: "_FSEC_G_K _FSEC_G_V_K _FSEC_G_W_K"},
		{name: "two-versions-versioned", secrets: []merge.Secret{with(ref("g1", "k"), versioned, named("g", "k")), with(ref("g2", "k"), versionedIn("w"), named("g", "k"))}, want: "_FSEC_G_V_K _FSEC_G_W_K"},
		{name: "three-versions-versioned", secrets: []merge.Secret{
			with(ref("g1", "k"), versioned, named("g", "k")), with(ref("g2", "k"), versionedIn("w"), named("g", "k")), with(ref("g3", "k"), versionedIn("x"), named("g", "k")),
		}, want: "_FSEC_G_V_K _FSEC_G_W_K _FSEC_G_X_K"},
		{name: "with-and-without-versioned", secrets: []merge.Secret{with(ref("g1", "k"), versioned, named("g", "k")), with(ref("g2", "k"), named("g", "k"))}, want: "_FSEC_G_V_K _FSEC_G_K"},
		{name: "invalid-name", secrets: []merge.Secret{with(ref("g", "k"), version("a b"))}, want: "_FSEC_G_K"},
		{name: "discovery-name", layout: mount.Layout{EnvPrefix: "FLYTE_"}, secrets: []merge.Secret{with(ref("secrets", "dir"), version("default"))}, want: "FLYTE_SECRETS_DIR"},
		{name: "pods-own", pod: env("_FSEC_G_V_K", "mine"), secrets: []merge.Secret{with(ref("g", "k"), version("v"))}, want: "_FSEC_G_K _FSEC_G_V_K=mine"},
		{name: "exact-layout", layout: mount.Layout{Exact: true}, secrets: []merge.Secret{with(ref("g", "k"), version("v"), envVar("X"))}, want: "X"},
	})
}

func TestAliases_Files(t *testing.T) {
	withMount := func(path string, change func(*corev1.VolumeMount)) func(*merge.Secret) {
		return func(s *merge.Secret) {
			s.GroupVersion = "v"
			s.Fragment.VolumeMounts[0].MountPath = path
			if change != nil {
				change(&s.Fragment.VolumeMounts[0])
			}
		}
	}
	alsoItem := func(s *merge.Secret) {
		s.GroupVersion = "v"
		items := &s.Fragment.Volumes[0].Projected.Sources[0].Secret.Items
		*items = append(*items, corev1.KeyToPath{Key: "ca", Path: "v/k"})
	}
	runAliases(t, []aliasCase{
		{name: "item", secrets: []merge.Secret{with(item("g", "Key"), version("v"))}, want: "Key=key Key=v/key"},
		{name: "below-another-file", secrets: []merge.Secret{with(item("g", "k"), version("v")), item("g", "v")}, want: "k=k v=v"},
		{name: "exact-path", secrets: []merge.Secret{with(projected("g", "k", "g/x"), version("v"), exactly("g/x"))}, want: "k=x"},
		{name: "item-with-dots", secrets: []merge.Secret{with(item("g", "k"), version("..v"))}, want: "k=k"},
		{name: "sub-path", secrets: []merge.Secret{with(item("g", "k"), withMount("/etc/flyte/secrets/g", func(m *corev1.VolumeMount) { m.SubPath = "x" }))}, want: "k=k"},
		{name: "sub-path-expr", secrets: []merge.Secret{with(item("g", "k"), withMount("/etc/flyte/secrets/g", func(m *corev1.VolumeMount) { m.SubPathExpr = "x" }))}, want: "k=k"},
		{name: "mount-of-the-file", secrets: []merge.Secret{with(item("g", "k"), withMount("/etc/flyte/secrets/g/k", nil))}, want: "k=k"},
		{name: "similar-mount", secrets: []merge.Secret{with(item("g", "k"), func(s *merge.Secret) {
			s.GroupVersion = "v"
			other := s.Fragment.VolumeMounts[0]
			other.MountPath = "/etc/flyte/secrets/g/key-of-another"
			s.Fragment.VolumeMounts = append(s.Fragment.VolumeMounts, other)
		})}, want: "k=k k=v/k"},
		{name: "own-item-blocks", secrets: []merge.Secret{with(item("g", "k"), alsoItem)}, want: "k=k ca=v/k"},
		{name: "pod-mounts-below", pod: mounts("/etc/flyte/secrets/g/v/k/x", false), secrets: []merge.Secret{with(item("g", "k"), version("v"))}, want: "k=k"},
		{name: "pod-mounts-at", pod: mounts("/etc/flyte/secrets/g/v", false), secrets: []merge.Secret{with(item("g", "k"), version("v"))}, want: "k=k k=v/k"},
		{name: "pod-mounts-below-existing", pod: func() *corev1.Pod {
			pod := mounts("/etc/flyte/secrets/g/v/k/x", false)
			pod.Spec.Volumes = podProjecting(volumeName("g"), "g", corev1.KeyToPath{Key: "k", Path: "k"}).Spec.Volumes
			return pod
		}(), secrets: []merge.Secret{with(item("g", "k"), version("v"))}, want: "k=k"},
		{name: "pod-mounts-elsewhere", pod: mounts("/x/etc/flyte/secrets/g/v/k/x", false), secrets: []merge.Secret{with(item("g", "k"), version("v"))}, want: "k=k k=v/k"},
		{name: "existing-item", pod: podProjecting(volumeName("g"), "g", corev1.KeyToPath{Key: "x", Path: "v/k"}), secrets: []merge.Secret{with(item("g", "k"), version("v"))}, want: "x=v/k k=k"},
		{name: "existing-directory", pod: podProjecting(volumeName("g"), "g", corev1.KeyToPath{Key: "x", Path: "v/k/x"}), secrets: []merge.Secret{with(item("g", "k"), version("v"))}, want: "x=v/k/x k=k"},
		{name: "another-mount-hides", secrets: []merge.Secret{with(item("g", "k"), version("v")), driverFile("g/v", "b")}, want: "k=k"},
		{name: "fetched", secrets: []merge.Secret{with(fetched("g", "k"), version("v"))}, want: ""},
	})
}

func runAliases(t *testing.T, cases []aliasCase) {
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			pod := tc.pod
			if pod == nil {
				pod = app(nil)
			}
			edits := mustDecide(t, tc.layout, tc.secrets, pod, merge.Options{})
			assert.Equal(t, tc.want, strings.Join(contents(edits.Apply(pod)), " "))
		})
	}
}

// named gives a secret another group and key, so that two references differ.
func named(group, key string) func(*merge.Secret) {
	return func(s *merge.Secret) { s.Group, s.Key = group, key }
}

// Another webhook provides the alias if more annotations ask for it.
func TestAliases_Annotations(t *testing.T) {
	alias := "agent/file-" + mount.Name("g", "k", "alias")
	for name, tc := range map[string]struct {
		pod     *corev1.Pod
		secrets []merge.Secret
		want    bool
	}{
		"with a version":      {nil, []merge.Secret{with(webhookFile("g", "k"), version("v"))}, true},
		"without":             {nil, []merge.Secret{webhookFile("g", "k")}, false},
		"different value":     {annotations(alias, "mine"), []merge.Secret{with(webhookFile("g", "k"), version("v"))}, false},
		"the webhook has run": {agentRan(nil), []merge.Secret{with(webhookFile("g", "k"), version("v"))}, false},
		"below another file":  {nil, []merge.Secret{with(webhookFile("g", "k"), version("v")), webhookFile("g", "v")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			pod := tc.pod
			if pod == nil {
				pod = app(nil)
			}
			edits := mustDecide(t, mount.Layout{}, tc.secrets, pod, merge.Options{})
			assert.Equal(t, tc.want, edits.Apply(pod).Annotations[alias] == "g/alias/k")
		})
	}
}

// A name that Flyte's client looks for must not hold another secret.
func TestAliases_Conflicts(t *testing.T) {
	const shadow = `env "_FSEC_G_K" would be read before the file "/etc/flyte/secrets/g/k", and is another secret`
	const both = ` is a name of both secrets, and can hold only one`
	run(t, []row{
		{name: "versioned-is-primary", why: "a client that asks for b with v1 would read v1_b", secrets: []merge.Secret{ref("a", "v1_b"), with(ref("a", "b"), version("v1"))}, index: 1,
			want: `env "_FSEC_A_V1_B"` + both},
		{name: "versioned-is-primary-later", secrets: []merge.Secret{with(ref("a", "b"), version("v1")), ref("a", "v1_b")}, index: 1, want: `env "_FSEC_A_V1_B"` + both},
		{name: "versioned-is-versioned", secrets: []merge.Secret{with(ref("a", "c_d"), version("b")), with(ref("a", "d"), version("b_c"))}, index: 1, want: `env "_FSEC_A_B_C_D"` + both},
		{name: "versioned-is-exact", secrets: []merge.Secret{with(ref("a", "b"), version("v")), with(ref("x", "y"), envVar("_FSEC_A_V_B"))}, index: 1, want: `env "_FSEC_A_V_B"` + both},
		{name: "unversioned-is-exact", why: "the exact name holds a wrong secret", secrets: []merge.Secret{with(ref("a", "b"), versioned), with(ref("x", "y"), envVar("_FSEC_A_B"))}, index: 1,
			want: `env "_FSEC_A_B"` + both},
		{name: "unversioned-is-path", secrets: []merge.Secret{with(ref("a", "b"), versioned), with(fetched("x", "y"), envVar("_FSEC_A_B"))}, index: 1, want: `env "_FSEC_A_B"` + both},
		{name: "versioned-file-is-file", secrets: []merge.Secret{with(item("g", "k"), version("v")), with(projected("h", "x", "g/v/k"), named("g/v", "k"))}, index: 1,
			want: `files "/etc/flyte/secrets/g/v/k"` + both},
		{name: "versioned-file-fetched", why: "the alias cannot exist, but the client looks there", secrets: []merge.Secret{with(fetched("g", "k"), version("v")), fetched("g/v", "k")}, index: 1,
			want: `files "/etc/flyte/secrets/g/v/k"` + both},

		{name: "file-shadowed-by-alias", why: "aliases are checked too", secrets: []merge.Secret{item("app", "db_password"), with(ref("app", "password"), version("db"))}, index: 1,
			want: `env "_FSEC_APP_DB_PASSWORD" would be read before the file "/etc/flyte/secrets/app/db_password", and is another secret`},
		{name: "versioned-file-shadowed", secrets: []merge.Secret{with(item("app", "password"), version("db")), ref("app", "db_password")}, index: 1,
			want: `env "_FSEC_APP_DB_PASSWORD" would be read before the file "/etc/flyte/secrets/app/password", and is another secret`},
		{name: "unversioned-file-and-primary", why: "the name without the version belongs to the other request", secrets: []merge.Secret{with(fetched("a", "b"), versioned), with(ref("x", "y"), named("a", "b"))},
			adds: "volumes(podsecrets-fetched) containers/0/env(*,*,*,_FSEC_A_B) containers/0/volumeMounts(/etc/flyte/secrets) initContainers(ours)"},
		{name: "file-and-unversioned", why: "the alias gives way", secrets: []merge.Secret{fetched("a", "b_c"), with(ref("a", "c"), versionedIn("v"), named("a_b", "c"))},
			adds: "volumes(podsecrets-fetched) containers/0/env(*,*,*,_FSEC_A_B_V_C) containers/0/volumeMounts(/etc/flyte/secrets) initContainers(ours)"},

		{name: "both-forms", secrets: []merge.Secret{ref("g", "k"), item("g", "k")},
			adds: "volumes(ours) containers/0/env(*,_FSEC_G_K,*,*) containers/0/volumeMounts(/etc/flyte/secrets/g)"},
		{name: "both-forms-case", secrets: []merge.Secret{ref("G", "k"), item("g", "k")},
			adds: "volumes(ours) containers/0/env(*,_FSEC_G_K,*,*) containers/0/volumeMounts(/etc/flyte/secrets/g)"},
		{name: "both-forms-twice", secrets: []merge.Secret{ref("G", "k"), ref("g", "k"), fetched("g", "k")},
			adds: "volumes(podsecrets-fetched) containers/0/env(*,_FSEC_G_K,*,*) containers/0/volumeMounts(/etc/flyte/secrets) initContainers(ours)"},
		{name: "shadow-other-key", secrets: []merge.Secret{ref("g", "K"), item("g", "k")}, index: 1, want: shadow},
		{name: "shadow-other-key-later", secrets: []merge.Secret{item("g", "k"), ref("g", "K")}, index: 1, want: shadow},
		{name: "shadow-fetched", secrets: []merge.Secret{ref("G", "k"), fetched("g", "k")}, index: 1, want: shadow},
		{name: "shadow-literal", secrets: []merge.Secret{literal("", "g_k", "v"), item("g", "k")}, index: 1, want: shadow},
		{name: "shadow-exact", secrets: []merge.Secret{with(ref("g", "other"), envVar("_FSEC_G_K")), item("g", "k")}, index: 1, want: shadow},
		{name: "exact-path-other-field", why: "its program opens the exact path", secrets: []merge.Secret{ref("g", "k"), with(fetched("g", "k"), exactly("x"), func(s *merge.Secret) { s.Field = "f" })},
			adds: "volumes(podsecrets-fetched) containers/0/env(*,_FSEC_G_K,*,*) containers/0/volumeMounts(/etc/flyte/secrets) initContainers(ours)"},
		{name: "shadow-other-field", secrets: []merge.Secret{ref("g", "k"), with(fetched("g", "k"), func(s *merge.Secret) { s.Field = "f" })}, index: 1, want: shadow},
	})
}

// A variable with the derived name of a file must not hold a path: the client would
// mistake the path for the secret.
func TestAliases_PathVariables(t *testing.T) {
	for name, tc := range map[string]struct {
		secrets []merge.Secret
		layout  mount.Layout
		index   int
		ok      bool
	}{
		"own":               {secrets: []merge.Secret{with(item("session", "key"), envVar("_FSEC_SESSION_KEY"))}},
		"own, exact path":   {secrets: []merge.Secret{with(projected("session", "key", "session/x"), exactly("session/x"), envVar("_FSEC_SESSION_KEY"))}},
		"own, with version": {secrets: []merge.Secret{with(item("session", "key"), version("v"), envVar("_FSEC_SESSION_V_KEY"))}},
		"another file":      {secrets: []merge.Secret{item("g", "k"), with(item("g", "other"), envVar("_FSEC_G_K"))}, index: 1},
		"exact layout":      {secrets: []merge.Secret{with(projected("session", "key", "session/key"), envVar("_FSEC_SESSION_KEY"))}, layout: mount.Layout{Exact: true}, ok: true},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := mergeAll(tc.layout, tc.secrets)
			if tc.ok {
				require.Empty(t, problems)
				return
			}
			require.Len(t, problems, 1)
			assert.Equal(t, tc.index, problems[0].Secret)
			var invalid *secret.InvalidError
			require.True(t, errors.As(problems[0].Err, &invalid))
			assert.Equal(t, "envVar", invalid.Field)
		})
	}
}

// A variable and a file with the same name are the same secret only if both refer to the
// same key of the same Secret.
func TestAliases_TwoForms(t *testing.T) {
	variable := ref("g", "a_b") // _FSEC_G_A_B, which is read before the file of ("g_a", "b")
	of := func(name, key string) merge.Secret {
		return with(projected(name, key, "g_a/b"), named("g_a", "b"))
	}
	for name, tc := range map[string]struct {
		file merge.Secret
		same bool
	}{
		"same key of the same Secret": {of("g", "a_b"), true},
		"another Secret":              {of("h", "a_b"), false},
		"another key":                 {of("g", "b"), false},
		"plain volume, same key":      {with(plainSecret("g", "a_b"), named("g_a", "b")), true},
		"not a Secret":                {fetched("g_a", "b"), false},
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

// contents returns the variables of the first container without the discovery variables,
// with their value or key if that is not the usual one, and the items of projected volumes.
func contents(pod *corev1.Pod) (all []string) {
	for _, v := range pod.Spec.Containers[0].Env {
		switch {
		case mount.IsDiscoveryVar(v.Name):
		case v.Value != "" && v.Value != "x":
			all = append(all, v.Name+"="+v.Value)
		case v.ValueFrom != nil && !slices.Contains([]string{"k", "dir"}, v.ValueFrom.SecretKeyRef.Key):
			all = append(all, v.Name+"="+v.ValueFrom.SecretKeyRef.Key)
		default:
			all = append(all, v.Name)
		}
	}
	for _, v := range pod.Spec.Volumes {
		if v.Projected != nil {
			for _, s := range v.Projected.Sources {
				for _, it := range s.Secret.Items {
					all = append(all, it.Key+"="+it.Path)
				}
			}
		}
	}
	return all
}
