package secret

import (
	"fmt"

	"github.com/podsecrets/podsecrets/mount"
)

// FromProto returns the request that a message of Flyte's type core.Secret makes,
// of any of its generations and without importing protobuf; M is the enum
// MountType. A mount requirement that Flyte's enum does not define is an
// *InvalidError. The request is not validated.
func FromProto[M fmt.Stringer](s interface {
	GetGroup() string
	GetGroupVersion() string
	GetKey() string
	GetMountRequirement() M
	GetEnvVar() string
}) (Request, error) {
	form, err := mount.ParseType(s.GetMountRequirement().String())
	if err != nil {
		return Request{}, &InvalidError{"mount", "is none of ANY, ENV_VAR, FILE"}
	}
	return Request{
		Group: s.GetGroup(), Key: s.GetKey(), GroupVersion: s.GetGroupVersion(),
		Mount: form, EnvVar: s.GetEnvVar(),
	}, nil
}
