package mount_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/podsecrets/podsecrets/mount"
)

func TestRestricted(t *testing.T) {
	user := int64(1000)
	c := mount.Restricted(&user)
	assert.Equal(t, user, *c.RunAsUser)
	user = 0
	assert.Equal(t, int64(1000), *c.RunAsUser, "must not share memory with its argument")
	assert.Nil(t, mount.Restricted(nil).RunAsUser, "the cluster chooses the user")
	assert.True(t, *c.RunAsNonRoot)
}
