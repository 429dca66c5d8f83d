package injectortest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Fake is a secret manager for tests of programs that use the library. It is
// safe for concurrent use while its maps do not change. The zero value has no
// secrets.
//
// In its maps, set only Group and Key in the key; entries with other fields are
// never found. The fake store serves variables and files in every layout. It
// has no versions, and ignores GroupVersion. It honors Field and Mode. For a
// file, it appends Field to the key of a Secret, so Field must be valid there.
//
//	fake := &injectortest.Fake{Values: map[secret.Request]*mount.Value{
//		{Group: "user-info", Key: "password"}: mount.Literal("s3cret"),
//	}}
type Fake struct {
	// ManagerName is returned by Name. Empty means "fake".
	ManagerName string
	// Values are the secrets. A variable has this Value. With Request.Field it
	// has that field, if the Value is a literal JSON object; otherwise the
	// result is secret.ErrUnsupported. A file is an item of a projected volume
	// of the Secret "fake", which need not exist: a test can check where the
	// file is (CanRead), but not its content. With mount.Any the secret is a
	// variable, or a file if some Kubernetes clusters do not accept the
	// variable's name.
	Values map[secret.Request]*mount.Value
	// Errors are what Mount returns instead of a secret, such as
	// secret.ErrUnsupported or the error of a store that is down. If a request
	// is in neither map, Mount returns secret.ErrNotFound.
	Errors map[secret.Request]error
}

// Name returns ManagerName, or "fake" if that is empty.
func (f *Fake) Name() string { return cmp.Or(f.ManagerName, "fake") }

// Mount returns the error in Errors for the request's Group and Key, or else a
// Fragment for the secret in Values. If the context has ended, it returns the
// context's error.
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
	valid := len(validation.IsEnvVarName(req.EnvName(layout, ""))) == 0
	switch {
	case req.Mount == mount.File, req.Mount == mount.Any && !valid:
		return f.file(req, layout)
	case !valid:
		return unsupported("group and key do not form a valid variable name")
	case req.Field != "":
		return field(value, req)
	}
	return mount.Fragment{Value: value, Honors: honored, Reads: object(req)}, nil
}

var honored = mount.Features{Field: true, Mode: true}

func object(req secret.Request) mount.Object { return mount.Object{Name: req.Group, Key: req.Key} }

func field(value *mount.Value, req secret.Request) (mount.Fragment, error) {
	if !value.IsLiteral() {
		return unsupported("the value is a reference, which has no fields")
	}
	var fields map[string]json.RawMessage
	text := strings.ReplaceAll(value.EnvVar("").Value, "$$", "$")
	if json.Unmarshal([]byte(text), &fields) != nil || fields[req.Field] == nil {
		return unsupported("the value is not a JSON object with that field")
	}
	of := string(fields[req.Field])
	if strings.HasPrefix(of, `"`) {
		_ = json.Unmarshal(fields[req.Field], &of) // it is valid
	}
	return mount.Fragment{Value: mount.Literal(of), Honors: honored, Reads: object(req)}, nil
}

func (f *Fake) file(req secret.Request, layout mount.Layout) (mount.Fragment, error) {
	dir, file := path.Split(req.FilePath(layout, ""))
	dir = path.Clean(dir)
	key := mount.Name(req.Group, req.Key)
	if req.Field != "" {
		key += "." + req.Field
	}
	if strings.HasPrefix(file, "..") || strings.Contains(dir, ":") || len(validation.IsConfigMapKey(key)) > 0 {
		return unsupported("the file cannot be in a volume of a Secret")
	}
	item := corev1.KeyToPath{Key: key, Path: file}
	if req.Mode != 0 {
		item.Mode = &req.Mode
	}
	name := mount.Name(f.Name(), "files", dir)
	return mount.Fragment{
		File:   true,
		Honors: honored,
		Reads:  object(req),
		Volumes: []corev1.Volume{{Name: name, VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			Sources: []corev1.VolumeProjection{{Secret: &corev1.SecretProjection{
				LocalObjectReference: corev1.LocalObjectReference{Name: "fake"},
				Items:                []corev1.KeyToPath{item},
			}}},
		}}}},
		VolumeMounts: []corev1.VolumeMount{{Name: name, MountPath: dir, ReadOnly: true}},
	}, nil
}

func unsupported(reason string) (mount.Fragment, error) {
	return mount.Fragment{}, fmt.Errorf("%w: %s", secret.ErrUnsupported, reason)
}
