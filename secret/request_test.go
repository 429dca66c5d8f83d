package secret_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

func TestRequestString(t *testing.T) {
	for _, tc := range []struct {
		name, why string
		req       secret.Request
		want      string
	}{
		{"all fields", "the order is fixed", secret.Request{Group: "g", Key: "k", GroupVersion: "v", Mount: mount.File, EnvVar: "X"},
			`group="g" key="k" version="v" mount=FILE env="X"`},
		{"group and key", "what is empty is left out", secret.Request{Group: "user-info", Key: "password"}, `group="user-info" key="password"`},
		{"key only", "no group differs from an empty one nowhere", secret.Request{Key: "k", Mount: mount.EnvVar}, `key="k" mount=ENV_VAR`},
		{"version only", "one part is enough", secret.Request{GroupVersion: "v"}, `version="v"`},
		{"nothing", "it is never empty", secret.Request{}, `key=""`},
		{"variable only", "the secret comes first", secret.Request{EnvVar: "X"}, `key="" env="X"`},
		{"looks like two fields", "different requests print differently", secret.Request{Group: `g" key="k`}, `group="g\" key=\"k"`},
		{"control characters", "logs must not be forged", secret.Request{Group: "g\r\n\x1b[31m", Key: "\u202e\u0085\xff"}, `group="g\r\n\x1b[31m" key="\u202e\u0085\xff"`},
		{"undefined mount", "it prints, whatever it is", secret.Request{Key: "k", Mount: 7}, `key="k" mount=Type(7)`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, tc.req.String(), tc.why)
			assert.Equal(t, tc.want, fmt.Sprint(tc.req), "fmt uses it")
		})
	}
}
