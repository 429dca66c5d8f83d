package injectortest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// shelf is a manager with a mistake: it tells its init container the key as it
// was asked for, while Flyte's client looks for files in lower case.
type shelf struct{}

func (shelf) Name() string { return "shelf" }

func (s shelf) Mount(_ context.Context, req secret.Request, _ mount.Target) (mount.Fragment, error) {
	if req.Mount == mount.EnvVar || req.GroupVersion != "" || req.Group == "" || req.Key == "" {
		return mount.Fragment{}, secret.ErrUnsupported
	}
	file := "/out/" + req.Group + "/" + req.Key // not req.RelPath(target.Layout(), "")
	return mount.Fragment{File: true, InitContainers: []mount.InitContainer{{
		Container: &corev1.Container{
			Name:         mount.Name(s.Name(), file),
			Image:        "registry.example.com/shelf:v1",
			VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/out"}},
		},
		Env: []corev1.EnvVar{mount.Literal(file).EnvVar("SHELF_FILE")},
	}}}, nil
}

// In a test, Run does the same with a subtest for each rule.
func ExampleTestManager() {
	err := injectortest.TestManager(shelf{},
		injectortest.Case{Name: "a token", Request: secret.Request{Group: "team", Key: "Token"}, Want: injectortest.File},
		injectortest.Case{Name: "no key", Request: secret.Request{Group: "team"}, Want: injectortest.Unsupported},
	)
	fmt.Println(strings.ReplaceAll(err.Error(), ": ", ":\n"))
	// Output:
	// placement:
	// case "a token", in Flyte's layout:
	// container "proxy":
	// it has no variable _FSEC_TEAM_TOKEN, and no file /etc/flyte/secrets/team/token:
	// no earlier init container with the emptyDir "podsecrets-fetched" names "team/token" in a variable or argument:
	// init container "podsecrets-e7d731284700eeb3b13f" has that file at "/out/team/token" (containers find the secret at injector.Placement:
	// at Request.EnvName, or at Request.FilePath, which is Request.RelPath in the volume)
}

// deploy stands for a program that embeds the library.
func deploy(in *injector.Injector) (*corev1.Pod, error) {
	return in.Inject(context.Background(), injectortest.Pod(mount.Container{Name: "web"}),
		secret.Request{Group: "database", Key: "password", EnvVar: "DB_PASSWORD"},
		secret.Request{Group: "database", Key: "ca.crt", Mount: mount.File})
}

// A program that embeds the library is tested without any store, and without
// knowledge of how secrets get into a Pod.
func Example_unitTestAConsumer() {
	fake := &injectortest.Fake{Values: map[secret.Request]*mount.Value{
		{Group: "database", Key: "password"}: mount.Literal("s3cret"),
		{Group: "database", Key: "ca.crt"}:   mount.Literal("-----BEGIN CERTIFICATE-----"),
	}}
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{fake}})
	if err != nil {
		panic(err)
	}
	pod, err := deploy(in)
	if err != nil {
		panic(err)
	}
	fmt.Println(injectortest.CanRead(pod, "web", secret.Request{Group: "database", Key: "password", EnvVar: "DB_PASSWORD"}))
	fmt.Println(injectortest.CanRead(pod, "web", secret.Request{Group: "database", Key: "ca.crt", Mount: mount.File}))
	fmt.Println(injectortest.CanRead(pod, "web", secret.Request{Group: "database", Key: "user"}))

	// And if the store is down?
	fake.Errors = map[secret.Request]error{{Group: "database", Key: "ca.crt"}: errors.New("the store is down")}
	pod, err = deploy(in)
	fmt.Println(pod == nil, err)
	// Output:
	// <nil>
	// <nil>
	// container "web" cannot read secret group="database" key="user": it has no variable _FSEC_DATABASE_USER, and no file /etc/flyte/secrets/database/user: volume "podsecrets-10e91fe329f0238afab5" has no file "user"
	// true secret group="database" key="ca.crt" mount=FILE: manager fake: the store is down
}

// With exact names, programs do not use Flyte's client. The test says where files
// are.
func ExampleCanReadExact() {
	fake := &injectortest.Fake{Values: map[secret.Request]*mount.Value{{Group: "database", Key: "Password"}: mount.Literal("s3cret")}}
	in, err := injector.New(injector.Config{
		Managers: []injector.SecretManager{fake},
		Layout:   mount.Layout{Exact: true, Dir: "/secrets"},
	})
	if err != nil {
		panic(err)
	}
	variable := secret.Request{Group: "database", Key: "Password", EnvVar: "DB_PASSWORD", Container: "web"}
	file := secret.Request{Group: "database", Key: "Password", Path: "db/password.txt", Mode: 0o440}
	pod := injectortest.Pod(mount.Container{Name: "web"}, mount.Container{Name: "log"})
	if pod, err = in.Inject(context.Background(), pod, variable, file); err != nil {
		panic(err)
	}
	fmt.Println(injectortest.CanReadExact(pod, "web", "/secrets", variable))
	fmt.Println(injectortest.CanReadExact(pod, "log", "/secrets", file))
	variable.Container = ""
	fmt.Println(injectortest.CanReadExact(pod, "log", "/secrets", variable))
	// Output:
	// <nil>
	// <nil>
	// container "log" cannot read secret group="database" key="Password" env="DB_PASSWORD": it has no variable DB_PASSWORD
}
