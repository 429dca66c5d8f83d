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

// An init container has the volume of the secrets at /out, and is told there to
// write.
func ExampleLayout_RelPath() {
	layout := mount.Layout{Dir: "/run/secrets", FilePrefix: "secret-"}
	fmt.Println(layout.Path("User-Info", "", "password"))
	fmt.Println("/out/" + layout.RelPath("User-Info", "", "password"))
	// Output:
	// /run/secrets/user-info/secret-password
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

// A file that an init container fetches into the volume which the library adds
// to the Pod and mounts at the directory of secrets.
func ExampleFragment() {
	fragment := mount.Fragment{
		File: true,
		Fetchers: []corev1.Container{{
			Name:         mount.Name("my-store", "group", "key"),
			Image:        "registry.example.com/fetch:v1",
			Args:         []string{"group", "key", "/out/group/key"},
			VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/out"}},
		}},
	}
	fmt.Println(fragment.Validate())
	// Output: <nil>
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
