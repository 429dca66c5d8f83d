package injector_test

import (
	"encoding/base32"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Names that requests may have.
func TestHazards_Requests(t *testing.T) {
	long := strings.Repeat("g", 253)
	notServed := func(req secret.Request) string {
		return fmt.Sprintf("secret %v: no manager serves it (global: not supported; aws: not supported; k8s: not supported; vault: not found)", req)
	}
	sameReference := func(t *testing.T, _, after *corev1.Pod) {
		require.NotNil(t, env(app(after), "_FSEC_TEAM_K"))
		assert.Equal(t, "team", env(app(after), "_FSEC_TEAM_K").ValueFrom.SecretKeyRef.Name)
		assert.Len(t, app(after).Env, 2, "one variable and the one that announces it")
	}
	twice := func(a, b secret.Request, manager, field, name, reason string) string {
		return fmt.Sprintf("secret %v: manager %s: %s %q %s, because of secret %v", b, manager, field, name, reason, a)
	}
	runHazards(t, []hazard{
		{name: "a group of 253 characters", reqs: []secret.Request{{Group: long, Key: "k", Mount: mount.File}, {Group: long, Key: "k", Mount: mount.EnvVar}},
			check: func(t *testing.T, _, after *corev1.Pod) {
				assert.LessOrEqual(t, len(after.Spec.Volumes[0].Name), 63)
				assert.Equal(t, long, after.Spec.Volumes[0].Projected.Sources[0].Secret.Name)
				assert.NotNil(t, env(app(after), "_FSEC_"+strings.ToUpper(long)+"_K"))
			}},
		{name: "a group of 254 characters", reqs: ask(mount.File, long+"g/k"), denied: fmt.Sprintf("secret %v: no manager serves it (global: not found; aws: not supported; k8s: not supported; vault: not found)", ask(mount.File, long+"g/k")[0])},
		{name: "case of a Secret", reqs: ask(mount.EnvVar, "team/k", "TEAM/k"), check: sameReference},
		{name: "case of global secrets", reqs: ask(mount.EnvVar, "g/one", "G/one"),
			denied: twice(ask(mount.EnvVar, "g/one")[0], ask(mount.EnvVar, "G/one")[0], "global", "env", "_FSEC_G_ONE", "would have two different meanings")},
		{name: "case of Vault paths", reqs: ask(mount.File, "secret/g/k", "secret/G/k"),
			denied: twice(ask(mount.File, "secret/g/k")[0], ask(mount.File, "secret/G/k")[0], "vault", "files", "/etc/flyte/secrets/secret/g/k", "would hold two different secrets")},
		{name: "separator in global secrets", reqs: ask(mount.EnvVar, "a/b_c", "a_b/c"),
			denied: twice(ask(mount.EnvVar, "a/b_c")[0], ask(mount.EnvVar, "a_b/c")[0], "global", "env", "_FSEC_A_B_C", "would have two different meanings")},
		{name: "separator in Secrets", reqs: ask(mount.EnvVar, "x.y/z", "x.Y/z", "x/y_z", "x.y/Z"),
			denied: twice(ask(mount.EnvVar, "x.y/z")[0], ask(mount.EnvVar, "x.y/Z")[0], "k8s", "env", "_FSEC_X.Y_Z", "would have two different meanings")},
		{name: "an empty group", reqs: []secret.Request{{Key: "k"}}, denied: `secret key="k": no manager serves it (global: not found; aws: not supported; k8s: not supported; vault: not found)`},
		{name: "an empty key", reqs: []secret.Request{{Group: "g"}}, denied: `secret group="g": no manager serves it (global: not found; aws: not supported; k8s: not supported; vault: not found)`},
		{name: "no group and key", reqs: []secret.Request{{}}, denied: `secret key="": key: is empty, and so are group and groupVersion`},
		{name: "version only", reqs: []secret.Request{{GroupVersion: "v"}}, denied: `secret version="v": no manager serves it (global: not found; aws: not supported; k8s: not supported; vault: not found)`},
		{name: "slash in a Secret's key", reqs: []secret.Request{{Group: "g", Key: "a/b"}}, denied: notServed(secret.Request{Group: "g", Key: "a/b"})},
		{name: "slash in a Vault key", reqs: []secret.Request{{Group: "secret/g", Key: "a/b"}},
			check: func(t *testing.T, _, after *corev1.Pod) {
				assert.True(t, slices.Contains(slices.Collect(maps.Values(after.Annotations)), "secret/g/a/b"), "the file is in a directory")
			}},
		{name: "key with dot-dot", reqs: []secret.Request{{Group: "g", Key: "a/../../b"}}, denied: `secret group="g" key="a/../../b": key: has a ".." segment`},
		{name: "absolute key", reqs: []secret.Request{{Group: "g", Key: "/etc/passwd"}}, denied: `secret group="g" key="/etc/passwd": key: begins with "/"`},
		{name: "too long in lower case", reqs: []secret.Request{{Group: "secret/g", Key: strings.Repeat("\u023a", 127)}},
			denied: fmt.Sprintf("secret %v: key: has a segment longer than 255 bytes", secret.Request{Group: "secret/g", Key: strings.Repeat("\u023a", 127)})},
		{name: "longer in lower case", reqs: []secret.Request{{Group: "secret/g", Key: "\u023a"}},
			check: func(t *testing.T, _, after *corev1.Pod) {
				assert.True(t, slices.Contains(slices.Collect(maps.Values(after.Annotations)), "secret/g/\u2c65"), "the file is in lower case")
			}},
		{name: "case differs in Python", reqs: []secret.Request{{Group: "secret/g", Key: "İ"}}, denied: `secret group="secret/g" key="İ": key: contains 'İ' (U+0130), whose case differs between Python and Go`},
		{name: "reserved variable", reqs: []secret.Request{{Group: "g", Key: "k", EnvVar: mount.DefaultDirVar}},
			denied: `secret group="g" key="k" env="FLYTE_SECRETS_DEFAULT_DIR": envVar: must not be FLYTE_SECRETS_DEFAULT_DIR, which tells Flyte's client where to look for secrets`},
		{name: "variable of two requests", reqs: []secret.Request{{Group: "g", Key: "a", EnvVar: "X"}, {Group: "g", Key: "b", EnvVar: "X"}},
			denied: `secret group="g" key="b" env="X": manager k8s: env "X" would have two different meanings, because of secret group="g" key="a" env="X"`},
		{name: "derived variable of another request", reqs: []secret.Request{{Group: "g", Key: "a"}, {Group: "g", Key: "b", EnvVar: "_FSEC_G_A"}},
			denied: `secret group="g" key="b" env="_FSEC_G_A": manager k8s: env "_FSEC_G_A" would have two different meanings, because of secret group="g" key="a"`},
	})
}

var hazardousAnnotations = []struct {
	name    string
	numbers []string
	denied  string
	order   string // of the keys, which are the numbers
}{
	{"s0 and s2 without s1", []string{"0", "2"}, "", "2 0"},
	{"s10 comes after s9", []string{"9", "10"}, "", "10 9"},
	{"s00", []string{"0", "00"}, notANumber("flyte.secrets/s00"), ""},
	{"s-1", []string{"-1"}, notANumber("flyte.secrets/s-1"), ""},
	{"s+1", []string{"+1"}, notANumber("flyte.secrets/s+1"), ""},
	{"s", []string{""}, notANumber("flyte.secrets/s"), ""},
	{"digits of another script", []string{"١"}, notANumber("flyte.secrets/s١"), ""},
	{"a number beyond 64 bits", []string{"0", "99999999999999999999"}, "", "99999999999999999999 0"},
}

// The names and number of annotations.
func TestHazards_Annotations(t *testing.T) {
	encoded := func(t *testing.T, key string) string {
		all, err := secret.EncodeAnnotations([]secret.Request{{Group: "g", Key: key}})
		require.NoError(t, err)
		return all["flyte.secrets/s0"]
	}
	for _, tc := range hazardousAnnotations {
		t.Run(tc.name, func(t *testing.T) {
			pod := userStoryPod()
			pod.Annotations = map[string]string{}
			for _, number := range tc.numbers {
				pod.Annotations["flyte.secrets/s"+number] = encoded(t, "k"+number)
			}
			raw := toJSON(t, pod)
			response := hazardInjector(t, mount.ConflictFail).Review(ctx, creation(raw))
			if tc.denied != "" {
				require.False(t, response.Allowed)
				assert.Equal(t, tc.denied, response.Result.Message)
				assert.Equal(t, int32(400), response.Result.Code)
				return
			}
			require.True(t, response.Allowed, "%+v", response.Result)
			after := new(corev1.Pod)
			require.NoError(t, json.Unmarshal(applyPatch(t, response.Patch, raw), after))
			var keys []string
			for _, v := range app(after).Env {
				if number, ok := strings.CutPrefix(v.Name, "_FSEC_G_K"); ok {
					keys = append([]string{number}, keys...)
				}
			}
			assert.Equal(t, tc.order, strings.Join(keys, " "))
		})
	}

	t.Run("5000", func(t *testing.T) {
		reqs := manyRequests(5_000, mount.Any)
		raw := toJSON(t, stamped(t, &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}}, reqs...))
		response := hazardInjector(t, mount.ConflictFail).Review(ctx, creation(raw))
		require.False(t, response.Allowed, "they are more than 256 KiB")
		assert.Equal(t, int32(413), response.Result.Code)
	})
	t.Run("5000 short", func(t *testing.T) {
		pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}}
		pod.Annotations = map[string]string{}
		for i := range 5_000 {
			text := fmt.Sprintf(`group:"g"key:"%d"`, i)
			pod.Annotations[fmt.Sprintf("flyte.secrets/s%d", i)] = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz123456").WithPadding(base32.NoPadding).EncodeToString([]byte(text))
		}
		raw := toJSON(t, pod)
		response := hazardInjector(t, mount.ConflictFail).Review(ctx, creation(raw))
		require.True(t, response.Allowed, "%+v", response.Result)
		require.NoError(t, json.Unmarshal(applyPatch(t, response.Patch, raw), pod))
		assert.Len(t, app(pod).Env, 5_001, "one of them announces the others")
	})
}

func notANumber(name string) string {
	return fmt.Sprintf("annotation %q: the name must end in a number without leading zeros", name)
}
