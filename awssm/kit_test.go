package awssm_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

func TestConformance(t *testing.T) {
	user := int64(1000)
	for name, cfg := range map[string]awssm.Config{
		"zero": {},
		"full": {
			Image:            "registry.example.com/fetch-or-fail:v1",
			ImagePullSecrets: []corev1.LocalObjectReference{{Name: "pull"}},
			Resources:        &corev1.ResourceRequirements{},
			RunAsUser:        &user,
		},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := awssm.New(cfg)
			require.NoError(t, err)
			injectortest.Run(t, m, conformanceCases()...)
		})
	}
}

func conformanceCases() []injectortest.Case {
	cases := []injectortest.Case{
		{Name: "variable", Request: secret.Request{Group: account, Key: "k", Mount: mount.EnvVar}, Want: injectortest.Unsupported},
		{Name: "version", Request: secret.Request{Group: account, Key: "k", GroupVersion: "v1"}, Want: injectortest.Unsupported},
		{Name: "no ARN", Request: secret.Request{Group: "user-info", Key: "password"}, Want: injectortest.Unsupported},
		{Name: "windows", Request: secret.Request{Group: account, Key: "k"}, Want: injectortest.Unsupported,
			Meta: &metav1.ObjectMeta{Labels: map[string]string{corev1.LabelOSStable: "windows"}}},
		{Name: "linux", Request: secret.Request{Group: account, Key: "k"}, Want: injectortest.File,
			Meta: &metav1.ObjectMeta{Labels: map[string]string{corev1.LabelOSStable: "linux"}}},
	}
	for _, s := range awsSecrets {
		cases = append(cases, injectortest.Case{
			Name:    s.name,
			Request: secret.Request{Group: s.group, Key: s.key},
			Want:    injectortest.File,
			// As in the stock image's source.
			Writes: func(c corev1.Container) string { return sidecarFile(environment(&c)["SECRET_FILENAME"]) },
		})
	}
	return append(cases, injectortest.Case{
		Name:    "exact path",
		Request: secret.Request{Group: account, Key: "Exact-AbCdEf", Path: "Conf.d/DB"},
		Want:    injectortest.File,
		Writes:  func(c corev1.Container) string { return sidecarFile(environment(&c)["SECRET_FILENAME"]) },
	}, injectortest.Case{
		Name:    "env",
		Request: secret.Request{Group: account, Key: "Named-AbCdEf", Mount: mount.File, EnvVar: "FILE"},
	})
}
