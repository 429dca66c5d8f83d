package mount_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/mount"
)

func TestTarget(t *testing.T) {
	meta := &metav1.ObjectMeta{
		Name: "n", GenerateName: "g-", Namespace: "ns",
		Labels: map[string]string{"l": "1"}, Annotations: map[string]string{"a": ""},
	}
	target := mount.NewTarget(mount.Layout{Dir: "/d"}, mount.InitAfterSidecars, meta)
	assert.Equal(t, mount.Layout{Dir: "/d", EnvPrefix: "_FSEC_"}, target.Layout())
	assert.Equal(t, mount.InitAfterSidecars, target.InitOrder())
	assert.Equal(t, []string{"n", "g-", "ns"}, []string{target.Name(), target.GenerateName(), target.Namespace()})
	value, ok := target.Label("l")
	assert.Equal(t, "1", value)
	assert.True(t, ok)
	_, ok = target.Annotation("a")
	assert.True(t, ok, "an empty annotation exists")
	_, ok = target.Annotation("b")
	assert.False(t, ok)

	for _, empty := range []mount.Target{{}, mount.NewTarget(mount.Layout{}, mount.InitFirst, nil)} {
		assert.Equal(t, "", empty.Name())
		assert.Equal(t, mount.Layout{}.WithDefaults(), empty.Layout())
		assert.Equal(t, "default", empty.ServiceAccount())
		assert.Equal(t, "linux", empty.OS())
		assert.False(t, empty.Template())
	}
}

func TestTarget_Spec(t *testing.T) {
	label := &metav1.ObjectMeta{Labels: map[string]string{corev1.LabelOSStable: "windows"}}
	target := mount.NewTarget(mount.Layout{}, mount.InitFirst, label)
	assert.Equal(t, "windows", target.OS(), "from the label")
	assert.Equal(t, "windows", mount.Target{}.WithSpec(mount.TargetSpec{HostProcess: true}).OS())
	target = target.WithSpec(mount.TargetSpec{HostProcess: true, ServiceAccount: "runner", OS: "linux", Template: true})
	assert.Equal(t, "linux", target.OS(), "the spec takes precedence")
	assert.Equal(t, "runner", target.ServiceAccount())
	assert.True(t, target.Template())
}
