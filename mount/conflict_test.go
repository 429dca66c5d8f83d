package mount_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/podsecrets/podsecrets/mount"
)

func TestConflictError_Error(t *testing.T) {
	err := &mount.ConflictError{Field: "env", Name: "A", Reason: "is set"}
	assert.EqualError(t, err, `env "A" is set`)
	err.Container = "app"
	assert.EqualError(t, err, `container "app": env "A" is set`)
}
