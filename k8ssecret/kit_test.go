package k8ssecret_test

import (
	"testing"

	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

func TestConformance(t *testing.T) {
	cases := []injectortest.Case{
		{Name: "variable", Request: secret.Request{Group: "User-Info", Key: "My_Key", Mount: mount.EnvVar}},
		{Name: "versioned variable", Request: secret.Request{Group: "user-info", Key: "old", Mount: mount.EnvVar, GroupVersion: "v1"}},
		{Name: "other variable", Request: secret.Request{Group: "user.info", Key: "my.key", Mount: mount.EnvVar, EnvVar: "EXTRA"}},
		{Name: "file", Request: secret.Request{Group: "User-Info", Key: "Password", Mount: mount.File, EnvVar: "PASSWORD_FILE"}},
		{Name: "versioned file", Request: secret.Request{Group: "user-info", Key: "token", Mount: mount.File, GroupVersion: "V1"}},
		{Name: "other file", Request: secret.Request{Group: "other", Key: "password", Mount: mount.File}},
		{Name: "exact path", Request: secret.Request{Group: "user-info", Key: "conf", Path: "Conf.d/App.yaml"}, Want: injectortest.File},
		{Name: "mode", Request: secret.Request{Group: "user-info", Key: "mode", Mode: 0o440}, Want: injectortest.File},
		{Name: "no group", Request: secret.Request{Key: "k"}, Want: injectortest.Unsupported},
		{Name: "no key", Request: secret.Request{Group: "g"}, Want: injectortest.Unsupported},
		{Name: "group with slash", Request: secret.Request{Group: "a/b", Key: "k"}, Want: injectortest.Unsupported},
	}
	for name, tc := range map[string]struct {
		cfg k8ssecret.Config
		any injectortest.Outcome
	}{
		"zero":  {k8ssecret.Config{}, injectortest.Variable},
		"flyte": {k8ssecret.Config{Any: mount.File}, injectortest.File},
		"full":  {k8ssecret.Config{Any: mount.EnvVar, Required: true, DefaultMode: ptr[int32](0o444)}, injectortest.Variable},
	} {
		t.Run(name, func(t *testing.T) {
			anyForm := injectortest.Case{Name: "any", Request: secret.Request{Group: "any", Key: "k"}, Want: tc.any}
			injectortest.Run(t, newManager(t, tc.cfg), append([]injectortest.Case{anyForm}, cases...)...)
		})
	}
}

func TestConformance_Flyte2(t *testing.T) {
	injectortest.Run(t, newManager(t, k8ssecret.Config{Names: k8ssecret.FlyteScope("flyte", "", k8ssecret.Whole)}),
		injectortest.Case{Name: "variable", Request: secret.Request{Key: "my-key", Mount: mount.EnvVar, EnvVar: "MY_KEY"}},
		injectortest.Case{Name: "file", Request: secret.Request{Key: "other_key", Mount: mount.File}},
		injectortest.Case{Name: "group", Request: secret.Request{Group: "any thing", Key: "third", Mount: mount.File}},
		injectortest.Case{Name: "no key of a Secret", Request: secret.Request{Key: "a/b"}, Want: injectortest.Unsupported},
	)
}

// The kit's Pods do not run as root, so they cannot read a file of mode 0400.
func TestConformance_RootOnlyFile(t *testing.T) {
	err := injectortest.TestManager(newManager(t, k8ssecret.Config{DefaultMode: ptr[int32](0o400)}),
		injectortest.Case{Request: secret.Request{Group: "g", Key: "k", Mount: mount.File}})
	if err == nil {
		t.Error("the kit accepts a file of mode 0400")
	}
}
