package secret

import (
	"fmt"

	"github.com/podsecrets/podsecrets/mount"
)

// FromProto returns the request in a message of Flyte's type core.Secret. The
// message's Go type may come from any protobuf library; this package imports
// none. M is the Go type of the enum MountType. An undefined mount requirement
// is an *InvalidError. The request is not validated.
func FromProto[M fmt.Stringer](s interface {
	GetGroup() string
	GetGroupVersion() string
	GetKey() string
	GetMountRequirement() M
	GetEnvVar() string
}) (Request, error) {
	form, err := mount.ParseType(s.GetMountRequirement().String())
	if err != nil {
		return Request{}, &InvalidError{"mount", "is not one of ANY, ENV_VAR, FILE"}
	}
	return Request{
		Group: s.GetGroup(), Key: s.GetKey(), GroupVersion: s.GetGroupVersion(),
		Mount: form, EnvVar: s.GetEnvVar(),
	}, nil
}
