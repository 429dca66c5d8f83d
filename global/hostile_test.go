package global_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/internal/kubelet"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// newDir creates a directory of secrets inside another directory. Files outside
// contain "outside", and variables that are not secrets have the value "other".
func newDir(t testing.TB, setenv func(name, value string)) (dir string) {
	outer := t.TempDir()
	dir = filepath.Join(outer, "secrets")
	for file, content := range map[string]string{
		"passwd": "outside", "secrets.d/key": "outside", "secretsx": "outside", "etc/passwd": "outside",
		"secrets/group/key": "inside", "secrets/top": "inside", "secrets/etc/passwd": "inside", "secrets/..data/key": "inside",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(outer, file)), 0o750))
		require.NoError(t, os.WriteFile(filepath.Join(outer, file), []byte(content), 0o600))
	}
	for link, to := range map[string]string{
		"link": "group", "group/in": "../top", "out": "..", "group/out": "../../passwd", "absolute": outer, "chain": "out/passwd", "self": ".",
		"group/up": "../../secrets/top", // leaves the directory on its way back
	} {
		require.NoError(t, os.Symlink(to, filepath.Join(dir, link)))
	}
	setenv("FLYTE_SECRET_VAR_KEY", "inside")
	for _, name := range []string{"FLYTE_SECRET", "FLYTE_SECRETX", "XFLYTE_SECRET_A", "GROUP_KEY", "_FSEC_GROUP_KEY", "flyte_secret_group_key"} {
		setenv(name, "other")
	}
	return dir
}

// tricks returns names that try to escape from the directory or the prefix.
func tricks(dir string) []string {
	outer := filepath.Dir(dir)
	up := []string{"..", "../passwd", "../secrets.d/key", "../secretsx", "a/../../passwd", "group/../../passwd", "./../passwd", ".//..//passwd", "../" + filepath.Base(dir) + "/../passwd"}
	for _, dots := range []string{"%2e%2e", "%2E.", "..%00", "．．", "․․", "‥", "..\u200b", "..\\", "\\..", "..;", ".. ", " ..", "..\x00", "\x00..", "..\n", "\xc0\xae\xc0\xae"} {
		up = append(up, dots+"/passwd", "group/"+dots+"/"+dots+"/passwd")
	}
	for _, slash := range []string{"%2f", "%5c", "\\", "∕", "／", "\xc0\xaf"} {
		up = append(up, ".."+slash+"passwd")
	}
	return append(up,
		outer+"/passwd", "/"+outer+"/passwd", "/etc/passwd", "//etc/passwd", "file:///etc/passwd", "~/passwd", "$HOME", "${FLYTE_SECRET}", "/proc/self/environ", "/dev/stdin",
		"out/passwd", "out/secrets/../passwd", "group/out", "absolute/passwd", "chain", "self/../passwd", "self/self/out/passwd", "group/up",
		"passwd\x00", "top/../../passwd", "", ".", "/", "./", "group", "group/", "=", "A=B", "\x00", "KEY\x00=", "X", "SECRET",
	)
}

// checkLookup requests a secret in each form, and fails unless the result is a secret
// or an error.
func checkLookup(t *testing.T, m *global.Manager, group, key string) (served bool) {
	exact := mount.NewTarget(mount.Layout{Exact: true}, mount.InitFirst, nil)
	for _, form := range []struct {
		as     mount.Type
		env    string // a valid variable, whatever group and key are
		target mount.Target
	}{
		{mount.Any, "", mount.Target{}}, {mount.EnvVar, "", mount.Target{}}, {mount.File, "", mount.Target{}},
		{mount.Any, "X", mount.Target{}}, {mount.EnvVar, "X", exact}, {mount.File, "X", exact},
	} {
		f, err := m.Mount(context.Background(), secret.Request{Group: group, Key: key, Mount: form.as, EnvVar: form.env}, form.target)
		switch {
		case err == nil && form.as == mount.File:
			t.Errorf("%q, %q is served as a file", group, key)
		case err == nil:
			served = true
			if got := f.Value.EnvVar("X").Value; got != "inside" {
				t.Errorf("%q, %q returns %q, which is no global secret", group, key, got)
			}
		case strings.Contains(err.Error(), "outside"):
			t.Errorf("%q, %q: the error shows a file's content", group, key)
		}
	}
	return served
}

func TestLookup_Contained(t *testing.T) {
	dir := newDir(t, t.Setenv)
	m, err := global.New(global.Config{Dir: dir})
	require.NoError(t, err)
	for _, group := range append(tricks(dir), "group", "top", "link", "self") {
		for _, key := range append(tricks(dir), "key", "in") {
			checkLookup(t, m, group, key)
		}
	}
	for _, tc := range [][2]string{{"group", "key"}, {"", "top"}, {"link", "key"}, {"group", "in"}, {"self", "top"}, {"var", "key"}, {"VAR", "Key"}} {
		assert.True(t, checkLookup(t, m, tc[0], tc[1]), "%q is a secret and must be found", tc)
	}
}

func FuzzLookup(f *testing.F) {
	dir := newDir(f, f.Setenv)
	for _, trick := range tricks("/secrets") {
		f.Add("group", trick)
		f.Add(trick, "key")
	}
	f.Add("var", "key")
	m, err := global.New(global.Config{Dir: dir})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, group, key string) { checkLookup(t, m, group, key) })
}

// A file that is not a regular file is an error, and reading it never blocks.
func TestFiles_Special(t *testing.T) {
	dir, err := os.MkdirTemp("", "") // a socket's path must be short
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket, err := net.Listen("unix", filepath.Join(dir, "socket"))
	require.NoError(t, err)
	defer socket.Close()
	for _, tc := range []struct{ name, dir, key string }{
		{"endless device", "/dev", "zero"},
		{"empty device", "/dev", "null"},
		{"socket", dir, "socket"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := value(t, global.Config{Dir: tc.dir}, secret.Request{Key: tc.key})
			require.Error(t, err)
			assert.NotErrorIs(t, err, secret.ErrNotFound, "the next manager must not be tried")
		})
	}
}

// A huge file is read no further than the size of a variable.
func TestFiles_Huge(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "huge")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Truncate(file, 1<<30)) // without blocks on the disk
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := value(t, global.Config{Dir: dir}, secret.Request{Key: "huge"})
	runtime.ReadMemStats(&after)
	assert.ErrorContains(t, err, "more than 131070 bytes")
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20))
}

// The container sees the value byte for byte, even if it looks like a reference to
// another variable.
func TestValue(t *testing.T) {
	for _, want := range []string{"", "$", "$$", "$(HOME)", "$$(HOME)", "$(FLYTE_SECRET_A)", "a$(", "$((HOME))", "pa$$w0rd", "\n$(HOME)\r\n\t", "日本$(HOME)"} {
		t.Setenv("FLYTE_SECRET_G_K", want)
		m, err := global.New(global.Config{Dir: t.TempDir()})
		require.NoError(t, err)
		in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
		require.NoError(t, err)
		pod, err := in.Inject(ctx, podOf("any"), secret.Request{Group: "g", Key: "k", EnvVar: "EXTRA"})
		require.NoError(t, err)
		known := map[string]string{"HOME": "expanded", "FLYTE_SECRET_A": "expanded"}
		for _, v := range pod.Spec.Containers[0].Env {
			if v.Name == "_FSEC_G_K" || v.Name == "EXTRA" {
				assert.Equal(t, want, kubelet.Expand(v.Value, known), v.Name)
			}
		}
	}
}

func podOf(namespace string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}},
	}
}

// Several groups and keys name one variable. Each is served alone; two of them in one
// Pod conflict.
func TestSharedVariable(t *testing.T) {
	t.Setenv("FLYTE_SECRET_A_B_C", "inside")
	m, err := global.New(global.Config{Dir: t.TempDir()})
	require.NoError(t, err)
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
	require.NoError(t, err)
	names := []secret.Request{{Group: "a", Key: "b_c"}, {Group: "a_b", Key: "c"}, {Key: "a_b_c"}, {Group: "A", Key: "b_c"}, {Group: "a", Key: "B_C"}}
	for _, one := range names {
		_, err := in.Inject(ctx, podOf("any"), one, one)
		require.NoError(t, err)
		for _, two := range names {
			pod, err := in.Inject(ctx, podOf("any"), one, two)
			if one == two {
				continue
			}
			var failed *injector.RequestError
			require.True(t, errors.As(err, &failed), "%v and %v", one, two)
			assert.Nil(t, pod)
			assert.Equal(t, two, failed.Request)
			assert.Equal(t, one, *failed.Other)
			var conflict *mount.ConflictError
			assert.True(t, errors.As(err, &conflict))
		}
	}
}

// countingSource counts the calls of Lookup.
type countingSource struct {
	source
	calls *int
}

func (s countingSource) Lookup(ctx context.Context, req secret.Request) (string, error) {
	*s.calls++
	return s.source.Lookup(ctx, req)
}

// A request that Allow refuses is indistinguishable from a missing secret: the source
// is never called, and every output is the same.
func TestAllow_LikeAbsence(t *testing.T) {
	never := func(secret.Request, mount.Target) bool { return false }
	absent := global.Config{Source: source{err: secret.ErrNotFound}}
	calls := 0
	for name, existing := range map[string]source{
		"secret": {value: "v"}, "not text": {value: "\xff"}, "too long": {value: strings.Repeat("v", mount.MaxEnvVar)},
		"unreadable": {err: errors.New("broken")}, "nothing": {err: secret.ErrNotFound},
	} {
		refused := global.Config{Source: countingSource{existing, &calls}, Allow: never}
		for _, req := range []secret.Request{
			{Group: "g", Key: "k"}, {Group: "g", Key: "k", Mount: mount.EnvVar}, {Group: "g", Key: "k", Mount: mount.File}, {Group: "g", Key: "k", GroupVersion: "v", EnvVar: "X"},
			{Group: "a/b", Key: "k"}, {Group: "a/b", Key: "k", Mount: mount.File}, {Group: "a/b", Key: "k", EnvVar: "X"}, {GroupVersion: "v"},
			{Group: "g", Key: "k", Path: "p"}, {Group: "g", Key: "k", Field: "f"}, {Group: "g", Key: "k", Container: "app"},
		} {
			t.Run(fmt.Sprint(name, "/", req), func(t *testing.T) {
				assert.Equal(t, outputs(t, absent, req), outputs(t, refused, req))
			})
		}
	}
	assert.Zero(t, calls, "the source was called")
}

// outputs returns everything that a refused request yields: the error in every form,
// and the response of a review.
func outputs(t *testing.T, cfg global.Config, req secret.Request) (all []string) {
	m, err := global.New(cfg)
	require.NoError(t, err)
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
	require.NoError(t, err)
	pod := podOf("any")
	_, err = in.Plan(ctx, pod, req)
	require.Error(t, err)
	for ; err != nil; err = errors.Unwrap(err) {
		all = append(all, fmt.Sprintf("%T %v", err, err))
	}
	_, err = m.Mount(ctx, req, mount.Target{})
	all = append(all, fmt.Sprintf("%#v", err))
	pod.Labels, pod.Annotations, err = secret.Stamp(nil, nil, []secret.Request{req})
	require.NoError(t, err)
	raw, err := json.Marshal(pod)
	require.NoError(t, err)
	response, err := json.Marshal(in.Review(ctx, &admissionv1.AdmissionRequest{
		Operation: admissionv1.Create, Resource: metav1.GroupVersionResource{Version: "v1", Resource: "pods"}, Object: kruntime.RawExtension{Raw: raw},
	}))
	require.NoError(t, err)
	return append(all, string(response))
}
