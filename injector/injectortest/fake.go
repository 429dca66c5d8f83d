package injectortest

import (
	"cmp"
	"context"
	"fmt"
	"path"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Fake is a secret manager for the tests of those who use the library. It is
// safe for concurrent use as long as its maps are not changed. The zero value
// has no secrets.
//
// A key of its maps is a Request with Group and Key and nothing else; one with
// more is never found. The fake store serves variables and files and has no
// versions.
//
//	fake := &injectortest.Fake{Values: map[secret.Request]*mount.Value{
//		{Group: "user-info", Key: "password"}: mount.Literal("s3cret"),
//	}}
type Fake struct {
	// ManagerName is what Name returns. Empty means "fake".
	ManagerName string
	// Values are the secrets. As a variable a secret is this Value. As a file it
	// is the item of a volume of the Secret "fake", which need not exist: a test
	// can tell where the file is (CanRead), but not what is in it. Any is a
	// variable.
	Values map[secret.Request]*mount.Value
	// Errors are returned for requests in place of an answer: a store that is
	// down, or secret.ErrUnsupported. A request in neither map is
	// secret.ErrNotFound.
	Errors map[secret.Request]error
}

// Name returns ManagerName.
func (f *Fake) Name() string { return cmp.Or(f.ManagerName, "fake") }

// Mount answers with what the maps have for the request's Group and Key. If the
// context has ended, the error is the context's.
func (f *Fake) Mount(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	if err := ctx.Err(); err != nil {
		return mount.Fragment{}, err
	}
	key := secret.Request{Group: req.Group, Key: req.Key}
	if err := f.Errors[key]; err != nil {
		return mount.Fragment{}, err
	}
	value := f.Values[key]
	if value == nil {
		return mount.Fragment{}, secret.ErrNotFound
	}
	layout := target.Layout()
	if req.Mount != mount.File {
		if len(validation.IsEnvVarName(layout.EnvVar(req.Group, "", req.Key))) > 0 {
			return mount.Fragment{}, fmt.Errorf("%w: group and key make no valid name of a variable", secret.ErrUnsupported)
		}
		return mount.Fragment{Value: value}, nil
	}
	dir, file := path.Split(layout.Path(req.Group, "", req.Key))
	name := mount.Name(f.Name(), dir)
	return mount.Fragment{
		File: true,
		Volumes: []corev1.Volume{{Name: name, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: "fake",
			Items:      []corev1.KeyToPath{{Key: mount.Name(req.Group, req.Key), Path: file}},
		}}}},
		VolumeMounts: []corev1.VolumeMount{{Name: name, MountPath: path.Clean(dir), ReadOnly: true}},
	}, nil
}
