package mount_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/mount"
)

// Layout.Dir and Webhook.Dir accept and refuse the same directories.
func TestDir(t *testing.T) {
	for dir, valid := range map[string]bool{
		"": true, "/run/secrets/app": true, "/a": true, "/etc/flyte/secrets": true, "/etc/secrets": true, "/opt": true, "/home/app": true,
		"/run/podsecrets": true, "/library": false, "/usr/share/app": true, "/tmp/x": true, "/procs": true, "/var/lib/app": true,
		"/": false, "a": false, "/a/": false, "/a/../b": false, "/a:b": false, "/ a/b ": false,
		"/" + strings.Repeat("a", 255): true, "/" + strings.Repeat("a", 256): false,

		"/proc": false, "/proc/self": false, "/sys": false, "/sys/fs/cgroup": false, "/dev": false, "/dev/shm": false,
		"/etc": false, "/usr": false, "/bin": false, "/sbin": false, "/lib": false, "/lib64": false, "/run": false, "/var": false,
		"/var/run": false, "/home": false, "/root": false, "/tmp": false, "/usr/bin": false, "/usr/lib": false, "/usr/lib64": false,
		"/var/run/secrets": false, "/var/run/secrets/kubernetes.io": false, "/var/run/secrets/kubernetes.io/serviceaccount": false,
		"/var/run/secrets/kubernetes.io/serviceaccount/token": false, "/run/secrets": false, "/run/secrets/kubernetes.io/serviceaccount": false,
	} {
		var flaw *mount.LayoutError
		err := mount.Layout{Dir: dir}.Validate()
		if valid {
			assert.NoError(t, err, dir)
		} else if assert.True(t, errors.As(err, &flaw), dir) {
			assert.Equal(t, "Dir", flaw.Field, dir)
		}
		f := mount.Fragment{File: true, Webhook: &mount.Webhook{Dir: dir}}
		require.Equal(t, valid, f.Validate() == nil, dir)
	}
}
