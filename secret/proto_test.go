package secret_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// mountType looks like the enum that protoc-gen-go generates for
// core.Secret.MountType. The nested module internal/textoracle has the real
// one.
type mountType int32

func (m mountType) String() string {
	if m >= 0 && m <= 2 {
		return []string{"ANY", "ENV_VAR", "FILE"}[m]
	}
	return strconv.Itoa(int(m))
}

// message looks like protoc-gen-go's core.Secret, whose getters work on nil.
type message struct {
	group, version, key string
	requirement         mountType
	env                 string
}

func (m *message) get() message {
	if m == nil {
		return message{}
	}
	return *m
}

func (m *message) GetGroup() string               { return m.get().group }
func (m *message) GetGroupVersion() string        { return m.get().version }
func (m *message) GetKey() string                 { return m.get().key }
func (m *message) GetMountRequirement() mountType { return m.get().requirement }
func (m *message) GetEnvVar() string              { return m.get().env }

func TestFromProto(t *testing.T) {
	for _, tc := range []struct {
		name, why string
		message   *message
		want      secret.Request
	}{
		{"full", "every field of the message", &message{"g", "v", "k", 2, "X"}, secret.Request{Group: "g", GroupVersion: "v", Key: "k", Mount: mount.File, EnvVar: "X"}},
		{"variable", "by its name", &message{key: "k", requirement: 1}, secret.Request{Key: "k", Mount: mount.EnvVar}},
		{"empty", "not validated", &message{}, secret.Request{}},
		{"nil", "the getters work", nil, secret.Request{}},
		{"invalid", "not validated", &message{key: "../k", env: "="}, secret.Request{Key: "../k", EnvVar: "="}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := secret.FromProto(tc.message)
			require.NoError(t, err)
			assert.Equal(t, tc.want, got, tc.why)
		})
	}
	for _, undefined := range []mountType{3, -1, 257} {
		got, err := secret.FromProto(&message{key: "k", requirement: undefined})
		require.EqualError(t, err, "mount: is not one of ANY, ENV_VAR, FILE")
		assert.ErrorAs(t, err, new(*secret.InvalidError))
		assert.Zero(t, got)
	}
}
