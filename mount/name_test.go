package mount_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podsecrets/podsecrets/mount"
)

func TestName_Unique(t *testing.T) {
	seen := map[string][]string{}
	for _, parts := range [][]string{
		{}, {""}, {"", ""}, {"a"}, {"A"}, {"a", ""}, {"a", "b"}, {"ab"}, {"a:b"}, {"1:a"}, {"a1:b"},
		{strings.Repeat("g", 253)}, {strings.Repeat("g", 252) + "h"},
	} {
		name := mount.Name(parts...)
		assert.Empty(t, validation.IsDNS1123Label(name), "%q", name)
		assert.True(t, mount.IsName(name), "%q", name)
		assert.NotContains(t, seen, name, "%q and %q have the same name", parts, seen[name])
		seen[name] = parts
	}
	assert.Equal(t, "podsecrets-02a418b63afa0f5e6c04", mount.Name("k8s", "user-info"), "a new hash would rename volumes in existing Pods")
	for _, other := range []string{"podsecrets-", "podsecrets-demo", mount.FetchVolume, "app", mount.Name("a") + "0"} {
		assert.False(t, mount.IsName(other), "%q", other)
	}
}
