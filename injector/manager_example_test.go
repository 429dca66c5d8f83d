package injector_test

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// shelf is a manager for a store of which an image of its own fetches files.
type shelf struct{ image string }

func (s shelf) Name() string { return "shelf" }

func (s shelf) Mount(_ context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	if req.Mount == mount.EnvVar || req.GroupVersion != "" || !strings.HasPrefix(req.Group, "shelf/") {
		return mount.Fragment{}, secret.ErrUnsupported // ask the next manager
	}
	// The volume is mounted at the directory of secrets, and in the fetcher at
	// /out.
	file := "/out/" + req.RelPath(target.Layout(), "")
	return mount.Fragment{File: true, InitContainers: []mount.InitContainer{{
		Container: &corev1.Container{
			// The manager, the secret and the file; not the image, which may change.
			Name:         mount.Name(s.Name(), req.Group, req.Key, file),
			Image:        s.image,
			VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/out"}},
		},
		// Variables tell one fetcher from another when a Pod is injected again, and
		// carry any text, once its "$" is escaped.
		Env: []corev1.EnvVar{
			mount.Literal(req.Group).EnvVar("SHELF_GROUP"),
			mount.Literal(req.Key).EnvVar("SHELF_KEY"),
			mount.Literal(file).EnvVar("SHELF_FILE"),
		},
	}}}, nil
}

// A manager of one's own: what cannot be served is left to the next, and
// everything else is said with data.
func ExampleSecretManager() {
	in, err := injector.New(injector.Config{
		Managers: []injector.SecretManager{shelf{"registry.example.com/shelf:v1"}},
	})
	if err != nil {
		panic(err)
	}
	plan, err := in.Plan(context.Background(), examplePod(), secret.Request{Group: "shelf/a", Key: "token"})
	if err != nil {
		panic(err)
	}
	fmt.Println(plan.Placements[0].Path)
	fmt.Println(plan.Pod().Spec.InitContainers[0].Env[2].Value)
	// Output:
	// /etc/flyte/secrets/shelf/a/token
	// /out/shelf/a/token
}
