package mount_test

import (
	"encoding"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/mount"
)

// Each value converts to its text and back.
func TestEnums_Text(t *testing.T) {
	type text interface {
		fmt.Stringer
		encoding.TextMarshaler
	}
	check := func(value text, want string, back encoding.TextUnmarshaler, got func() text) {
		t.Helper()
		marshaled, err := value.MarshalText()
		require.NoError(t, err)
		assert.Equal(t, want, string(marshaled))
		assert.Equal(t, want, value.String())
		require.NoError(t, back.UnmarshalText(marshaled))
		assert.Equal(t, value, got())
		assert.Error(t, back.UnmarshalText([]byte("x"+want)))
		assert.Equal(t, value, got(), "an error changes nothing")
	}
	var typ mount.Type
	for value, want := range map[mount.Type]string{mount.Any: "ANY", mount.EnvVar: "ENV_VAR", mount.File: "FILE"} {
		check(value, want, &typ, func() text { return typ })
	}
	var order mount.InitOrder
	for value, want := range map[mount.InitOrder]string{mount.InitFirst: "First", mount.InitAfterSidecars: "AfterSidecars"} {
		check(value, want, &order, func() text { return order })
	}
	var policy mount.ConflictPolicy
	for value, want := range map[mount.ConflictPolicy]string{mount.ConflictFail: "Fail", mount.ConflictKeepPod: "KeepPod"} {
		check(value, want, &policy, func() text { return policy })
	}
}

func TestEnums_Undefined(t *testing.T) {
	_, err := mount.ParseType("file")
	assert.EqualError(t, err, `mount: "file" is not one of ANY, ENV_VAR, FILE`)
	_, err = mount.ParseInitOrder("first")
	assert.EqualError(t, err, `mount: "first" is not one of First, AfterSidecars`)
	_, err = mount.ParseConflictPolicy("")
	assert.EqualError(t, err, `mount: "" is not one of Fail, KeepPod`)
	_, err = (mount.File + 1).MarshalText()
	assert.EqualError(t, err, "mount: Type(3) has no text form")
	_, err = (mount.InitAfterSidecars + 1).MarshalText()
	assert.EqualError(t, err, "mount: InitOrder(2) has no text form")
	_, err = (mount.ConflictKeepPod + 5).MarshalText()
	assert.EqualError(t, err, "mount: ConflictPolicy(6) has no text form")
}
