package mount

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// FetchVolume is the name of the volume into which Fragment.Fetchers write: one
// in memory for all of a Pod. The library adds it to the Pod and mounts it at
// the announced directory in every receiving container; a fetcher mounts it by
// this name wherever its program writes. It is writable there, because in a
// read-only one the kubelet could not make the mount point of a volume below
// it. So a container can change its Pod's copies of the fetched secrets.
const FetchVolume = namePrefix + "fetched"

// Fragment is what a Pod gains so that its containers can read one secret. It
// is data: the injector merges the fragments of a Pod, names the variables and
// finds the conflicts. The library never writes to a Fragment, so fragments may
// share memory with each other and between calls.
//
// Names of volumes and fetchers must come from Name. The variables that hold a
// secret or its path, and the discovery variables, are never a fragment's.
type Fragment struct {
	// Value, if set, makes the secret a variable. Exactly one of Value and File
	// says how the secret is read.
	Value *Value
	// File makes it the file that Layout.Path names. Either one of VolumeMounts
	// or the FetchVolume brings it there, or somebody else whom Annotations
	// instruct; then that somebody mounts a volume at the announced directory.
	// That it is brought just there is for the manager to see to, and its tests.
	File bool
	// Versioned says that the store honours the version asked for, so that the
	// name of the variable or file carries it.
	Versioned bool
	// Dir is the directory to announce to the client, if not the Layout's.
	Dir string

	// Volumes are added to the Pod. Those of one name are merged if they are
	// of one Secret, each with the items it needs.
	Volumes []corev1.Volume
	// VolumeMounts are added to every receiving container.
	VolumeMounts []corev1.VolumeMount
	// Fetchers are init containers that write files into the FetchVolume. They
	// go where InitOrder says, and never receive secrets themselves. When a Pod
	// is injected again, a fetcher is known by its name and its Env, so what
	// tells it from another belongs into these: in variables that Literal makes,
	// as the kubelet expands "$(NAME)" there and in arguments. A Pod that passes
	// the Pod Security Standard "restricted" passes still if each fetcher has a
	// SecurityContext that passes by itself. Those that share directories need one
	// user.
	Fetchers []corev1.Container
	// Annotations must end up on the Pod so; another value is a conflict.
	Annotations map[string]string
	// DefaultAnnotations are added where the Pod has none of that name.
	DefaultAnnotations map[string]string
	// ContainersAnnotation is the name of an annotation that must list the
	// receiving containers, separated by commas, if not all receive. It cannot
	// list init containers; one that shall not receive is a conflict.
	ContainersAnnotation string
	// ImagePullSecrets are added to the Pod's, for the fetchers' images.
	ImagePullSecrets []corev1.LocalObjectReference
}

// FragmentError says how a manager's Fragment breaks the rules of Fragment: a
// mistake in the manager, not in the Pod or the request.
type FragmentError struct {
	Field, Reason string
}

func (e *FragmentError) Error() string { return "fragment: " + e.Field + " " + e.Reason }

// Validate reports the first rule of Fragment that f breaks, as a
// *FragmentError.
func (f *Fragment) Validate() error {
	switch {
	case (f.Value != nil) == f.File:
		return &FragmentError{"Value", "and File: exactly one of them must be set"}
	case f.Value != nil && !f.Value.refers() && !f.Value.IsLiteral():
		return &FragmentError{"Value", "refers to nothing"}
	case f.Dir != "" && dirFlaw(f.Dir) != "":
		return &FragmentError{"Dir", fmt.Sprintf("%q cannot be announced", f.Dir)}
	}
	return cmp.Or(f.validateVolumes(), f.validateAnnotations())
}

func (f *Fragment) validateVolumes() error {
	names := make(map[string]bool, len(f.Volumes)+1)
	for _, v := range f.Volumes {
		switch {
		case !IsName(v.Name):
			return &FragmentError{"Volumes", fmt.Sprintf("%q is not a name that mount.Name makes", v.Name)}
		case names[v.Name]:
			return &FragmentError{"Volumes", fmt.Sprintf("%q is there twice", v.Name)}
		case isZero(&v.VolumeSource):
			return &FragmentError{"Volumes", fmt.Sprintf("%q has no source", v.Name)}
		}
		names[v.Name] = true
	}
	paths := make(map[string]bool, len(f.VolumeMounts))
	for _, m := range f.VolumeMounts {
		at := path.Clean(m.MountPath)
		switch {
		case !names[m.Name]:
			return &FragmentError{"VolumeMounts", fmt.Sprintf("has %q, which is none of Volumes", m.Name)}
		case !path.IsAbs(m.MountPath), strings.Contains(m.MountPath, ":"):
			return &FragmentError{"VolumeMounts", fmt.Sprintf("has %q, which is not absolute or has a colon", m.MountPath)}
		case paths[at]:
			return &FragmentError{"VolumeMounts", fmt.Sprintf("has %q twice", at)}
		}
		paths[at] = true
	}
	names[FetchVolume] = true
	for _, c := range f.Fetchers {
		if !IsName(c.Name) {
			return &FragmentError{"Fetchers", fmt.Sprintf("%q is not a name that mount.Name makes", c.Name)}
		}
		for _, m := range c.VolumeMounts {
			if !names[m.Name] {
				return &FragmentError{"Fetchers", fmt.Sprintf("mount %q, which is neither FetchVolume nor one of Volumes", m.Name)}
			}
		}
	}
	return nil
}

func (f *Fragment) validateAnnotations() error {
	if key := f.ContainersAnnotation; key != "" && !validKey(key) {
		return &FragmentError{"ContainersAnnotation", fmt.Sprintf("%q is not a valid name", key)}
	}
	return cmp.Or(validateKeys("Annotations", f.Annotations), validateKeys("DefaultAnnotations", f.DefaultAnnotations))
}

func validateKeys(field string, annotations map[string]string) error {
	var invalid []string
	for key := range annotations {
		if !validKey(key) {
			invalid = append(invalid, key)
		}
	}
	if len(invalid) > 0 {
		return &FragmentError{field, fmt.Sprintf("%q is not a valid name", slices.Min(invalid))}
	}
	return nil
}

// validKey reports whether an annotation can have the name. The API server
// lower-cases before it checks.
func validKey(key string) bool {
	return isPlain(key) || len(validation.IsQualifiedName(strings.ToLower(key))) == 0
}

// isPlain reports names that are valid beyond doubt, as most are: an annotation
// such as "example.com/some-name" needs no regular expression.
func isPlain(key string) bool {
	slashes := 0
	separated := true // what is next must be a letter or a digit
	for i := range len(key) {
		switch c := key[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			separated = false
		case separated:
			return false
		case c == '/':
			slashes++
			fallthrough
		case c == '-', c == '.':
			separated = true
		default:
			return false
		}
	}
	const maxName = 63 // Kubernetes' limit on what follows the slash, and less than on what precedes it
	slash := strings.IndexByte(key, '/')
	return !separated && slashes == 1 && slash <= maxName && len(key)-slash-1 <= maxName
}
