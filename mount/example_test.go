package mount_test

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/mount"
)

func ExampleLayout() {
	var flyte mount.Layout
	fmt.Println(flyte.EnvVar("user-info", "", "password"))
	fmt.Println(flyte.Path("User-Info", "v1", "password"))
	// Output:
	// _FSEC_USER-INFO_PASSWORD
	// /etc/flyte/secrets/user-info/v1/password
}

// An init container mounts the volume of secrets at /out and writes there.
func ExampleLayout_RelPath() {
	layout := mount.Layout{Dir: "/secrets", FilePrefix: "secret-"}
	fmt.Println(layout.Path("User-Info", "", "password"))
	fmt.Println("/out/" + layout.RelPath("User-Info", "", "password"))
	// Output:
	// /secrets/user-info/secret-password
	// /out/user-info/secret-password
}

func ExampleParseType() {
	t, err := mount.ParseType("ENV_VAR")
	fmt.Println(t, err)
	// Output: ENV_VAR <nil>
}

func ExampleTarget() {
	target := mount.NewTarget(mount.Layout{}, mount.InitFirst, &metav1.ObjectMeta{
		Namespace:   "payments",
		Annotations: map[string]string{"team": "blue"},
	})
	team, _ := target.Annotation("team")
	fmt.Println(target.Namespace(), team, target.Layout().Dir)
	// Output: payments blue /etc/flyte/secrets
}

// With Exact, only the names in requests exist: no derived names and no
// discovery variables.
func ExampleLayout_exact() {
	layout := mount.Layout{Dir: "/secrets", Exact: true}
	fmt.Println(layout.Validate())
	fmt.Println(mount.Layout{Dir: "/etc", Exact: true}.Validate())
	// Output:
	// <nil>
	// layout: Dir "/etc" is reserved: a volume there would hide the image's files
}

// An init container fetches a file into the volume that the library adds to the
// Pod and mounts at the directory of secrets. Each secret has its own
// container.
func ExampleFragment() {
	fragment := mount.Fragment{
		File: true,
		InitContainers: []mount.InitContainer{{
			Container: &corev1.Container{
				Name:         mount.Name("my-store", "group", "key"),
				Image:        "registry.example.com/fetch:v1",
				Args:         []string{"group", "key", "/out/group/key"},
				VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/out"}},
			},
			Env: []corev1.EnvVar{mount.Literal("group/key").EnvVar("FETCH")},
		}},
	}
	fmt.Println(fragment.Validate())
	// Output: <nil>
}

// An init container writes the value of a variable into an env file. One
// container fetches all secrets of the store, and a variable tells it about
// each one.
func ExampleFragment_envFile() {
	shared := &corev1.Container{
		Name:         mount.Name("my-store", "fetch"),
		Image:        "registry.example.com/fetch:v1",
		Env:          []corev1.EnvVar{mount.Literal("/env").EnvVar("FETCH_DIR")}, // never changes
		VolumeMounts: []corev1.VolumeMount{{Name: mount.EnvVolume, MountPath: "/env"}},
	}
	name := mount.Name("group", "key") // one file per secret
	fragment := mount.Fragment{
		Value: mount.FromSource(&corev1.EnvVarSource{FileKeyRef: &corev1.FileKeySelector{
			VolumeName: mount.EnvVolume, Path: name, Key: "VALUE",
		}}),
		InitContainers: []mount.InitContainer{{
			Container: shared,
			Env:       []corev1.EnvVar{mount.Literal("/env/" + name).EnvVar("FETCH_" + name)},
		}},
		Reads: mount.Object{Name: "group", Key: "key"},
	}
	fmt.Println(fragment.Validate(), fragment.Value.EnvFileVolume())
	// Output: <nil> podsecrets-env
}

func ExampleValue() {
	literal := mount.Literal("pa$$word")
	fmt.Println(literal)
	fmt.Printf("%+v\n", mount.FromSource(&corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: "user-info"}, Key: "password",
	}}))
	// Output:
	// literal (not shown)
	// key "password" of Secret "user-info"
}

func ExampleName() {
	fmt.Println(mount.Name("k8s", "user-info"))
	// Output: podsecrets-02a418b63afa0f5e6c04
}
