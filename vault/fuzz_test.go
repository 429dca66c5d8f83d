package vault_test

import (
	"errors"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

// FuzzAnnotations checks that for any request and any annotation on the Pod, either the
// request is refused, or each file is below the announced directory, at the Placement's
// path, and the annotations' names are valid.
func FuzzAnnotations(f *testing.F) {
	for _, s := range hostile {
		f.Add("secret/data/task", s, "", "role", "r")
		f.Add(s, "key", "kv1", "secret-volume-path", s)
		f.Add("database/"+s, "key", "db", s, "true")
	}
	for _, dir := range []string{"/own", "/own/../../etc", "/", "own", "/etc/flyte/secrets", "/a//b", "/a\n", ""} {
		f.Add("a", "b", "", "secret-volume-path", dir)
	}
	f.Add("../../etc", "passwd", "kv2", "agent-inject", "false")
	f.Add("a/../../etc", "../passwd", "kv2", "agent-inject-status", "injected")
	in := newInjector(f, nil, newManager(f, vault.Config{}))
	f.Fuzz(func(t *testing.T, group, key, version, name, value string) {
		req := secret.Request{Group: group, Key: key, GroupVersion: version}
		plan, err := in.Plan(ctx, podWith(map[string]string{p + name: value}), req)
		if err != nil {
			require.True(t, errors.As(err, new(*injector.RequestError)), "%v", err)
			return
		}
		pod, placed := plan.Pod(), plan.Placements[0].Path
		dir := pod.Annotations[p+"secret-volume-path"]
		require.NoError(t, mount.Layout{Dir: dir}.Validate())
		require.Equal(t, dir, variable(pod, mount.DefaultDirVar))
		files := map[string]bool{}
		for name, value := range pod.Annotations {
			require.False(t, name != strings.ToLower(name) && strings.Contains(name, "podsecrets-"), "the id of %q", name)
			if id, ok := strings.CutPrefix(name, p+"agent-inject-file-"); ok && mount.IsName(id) {
				files[path.Join(dir, value)] = true // as the Vault Agent Injector does
				require.True(t, strings.HasPrefix(path.Join(dir, value), dir+"/"), "%q is not in %q", value, dir)
				require.Equal(t, strings.TrimPrefix(path.Clean("/"+group), "/"), pod.Annotations[p+"agent-inject-secret-"+id])
				for _, perSecret := range []string{"secret-", "file-", "template-"} {
					require.Empty(t, validation.IsQualifiedName(p+"agent-inject-"+perSecret+id))
				}
			}
		}
		layout := mount.Layout{Dir: dir}
		want := map[string]bool{placed: true}
		require.Equal(t, layout.Path(group, "", key), placed)
		if alias := layout.Path(group, version, key); files[alias] { // not every alias can exist
			want[alias] = true
		}
		require.Equal(t, want, files)
	})
}
