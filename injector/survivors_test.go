package injector_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// A fragment that contradicts itself is no conflict with another request.
func TestAConflictWithItselfNamesNoOther(t *testing.T) {
	m := always{"m", func(secret.Request, mount.Target) (mount.Fragment, error) {
		f := mount.Fragment{File: true}
		for i := range 2 {
			f.Fetchers = append(f.Fetchers, corev1.Container{Name: mount.Name("m"), Env: []corev1.EnvVar{{Name: "N", Value: strconv.Itoa(i)}}})
		}
		return f, nil
	}}
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
	require.NoError(t, err)
	_, err = in.Inject(ctx, userStoryPod(), secret.Request{Key: "k"})
	var failed *injector.RequestError
	require.ErrorAs(t, err, &failed)
	assert.Nil(t, failed.Other)
	assert.EqualError(t, err, `secret key="k": manager m: initContainers "`+mount.Name("m")+`" would have to do two different things`)
}
