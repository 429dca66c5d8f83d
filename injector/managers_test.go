package injector_test

import (
	"context"
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/azurekv"
	"github.com/podsecrets/podsecrets/csi"
	"github.com/podsecrets/podsecrets/gcpsm"
	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

// fake is a manager that serves groups with its name as prefix.
type fake struct {
	name  string
	mount func(req secret.Request, target mount.Target) (mount.Fragment, error)
}

func (f fake) Name() string { return f.name }

func (f fake) Mount(_ context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	if !strings.HasPrefix(req.Group, f.name) {
		return mount.Fragment{}, secret.ErrNotFound
	}
	return f.mount(req, target)
}

// fetcher fetches each file in a separate init container, and honors versions.
var fetcher = fake{"fetch", func(req secret.Request, target mount.Target) (mount.Fragment, error) {
	if req.Mount == mount.EnvVar {
		return mount.Fragment{}, secret.ErrUnsupported
	}
	file := req.RelPath(target.Layout(), req.GroupVersion)
	return mount.Fragment{
		File:      true,
		Versioned: true,
		InitContainers: []mount.InitContainer{{
			Container: &corev1.Container{
				Name:         mount.Name("fetch", req.Group, req.GroupVersion, req.Key, file),
				Image:        "fetch:v1",
				VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/tmp"}},
			},
			Env: []corev1.EnvVar{mount.Literal("/tmp/" + file).EnvVar("TO")},
		}},
		ImagePullSecrets: []corev1.LocalObjectReference{{Name: "pull"}},
	}, nil
}}

// sharedContainer is the one in which sharing fetches all secrets.
var sharedContainer = &corev1.Container{
	Name: mount.Name("store", "fetch"), Image: "registry.example.com/store:v1",
	Env:          []corev1.EnvVar{{Name: "STORE", Value: "store"}},
	VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/files"}, {Name: mount.EnvVolume, MountPath: "/env"}},
}

// sharing fetches all secrets in one container, as files and variables, and
// honors everything.
var sharing = fake{"store", func(req secret.Request, target mount.Target) (mount.Fragment, error) {
	what := []string{req.Group, req.GroupVersion, req.Key, req.Field, fmt.Sprint(req.Mode)}
	f := mount.Fragment{Versioned: true, Honors: mount.Features{Field: true, Mode: true}}
	to := ""
	if req.Mount == mount.EnvVar {
		file := mount.Name(what...)
		to = "/env/" + file
		f.Value = mount.FromSource(&corev1.EnvVarSource{FileKeyRef: &corev1.FileKeySelector{VolumeName: mount.EnvVolume, Path: file, Key: "V"}})
	} else {
		f.File = true
		to = "/files/" + req.RelPath(target.Layout(), req.GroupVersion)
	}
	f.InitContainers = []mount.InitContainer{{Container: sharedContainer, Env: []corev1.EnvVar{
		mount.Literal(strings.Join(what, ":") + " " + to).EnvVar("GET_" + mount.Name(append(what, to)...)),
	}}}
	return f, nil
}}

// annotator has another webhook write files and variables, controlled by
// annotations.
var annotator = fake{"annotate", func(req secret.Request, target mount.Target) (mount.Fragment, error) {
	id := mount.Name(req.Group, req.Key, req.Path)
	f := mount.Fragment{Webhook: &mount.Webhook{
		Annotations: map[string]string{
			"agent.example.com/" + id:   req.Key,
			"agent.example.com/inject":  "true",
			"agent.example.com/f-" + id: req.RelPath(target.Layout(), ""),
		},
		DefaultAnnotations:   map[string]string{"agent.example.com/role": "default"},
		AliasAnnotations:     map[string]string{"agent.example.com/f-" + mount.Name(id, "alias"): target.Layout().RelPath(req.Group, req.GroupVersion, req.Key)},
		ContainersAnnotation: "agent.example.com/containers",
		RanAnnotation:        "agent.example.com/status", RanValue: "done",
		Volume: "agent", Containers: []string{"agent-init"}, First: true,
		Writes: mount.FileAnnotations{File: "agent.example.com/f-"},
	}}
	if req.Mount == mount.EnvVar {
		delete(f.Webhook.Annotations, "agent.example.com/f-"+id)
		f.Value = mount.FromSource(&corev1.EnvVarSource{FileKeyRef: &corev1.FileKeySelector{VolumeName: "agent", Path: id, Key: "V"}})
	} else {
		f.File = true
	}
	return f, nil
}}

// driver mounts a CSI volume, and serves variables from the Pod's fields.
var driver = fake{"driver", func(req secret.Request, target mount.Target) (mount.Fragment, error) {
	if req.Mount == mount.EnvVar {
		return mount.Fragment{Value: mount.FromSource(&corev1.EnvVarSource{
			FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.annotations['" + req.Key + "']"},
		})}, nil
	}
	name := mount.Name("driver", req.Group)
	class := "secrets"
	return mount.Fragment{
		File: true,
		Volumes: []corev1.Volume{{Name: name, VolumeSource: corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{
			Driver: "secrets.example.com", VolumeAttributes: map[string]string{"class": class},
		}}}},
		VolumeMounts: []corev1.VolumeMount{{Name: name, MountPath: path.Dir(req.FilePath(target.Layout(), ""))}},
	}, nil
}}

// values is a global.Source.
type values map[string]string

func (v values) Lookup(_ context.Context, req secret.Request) (string, error) {
	value, ok := v[req.Group+"/"+req.Key]
	if !ok {
		return "", secret.ErrNotFound
	}
	return value, nil
}

const canary = "c4nary$(LOG_LEVEL)"

func k8s(t testing.TB) injector.SecretManager {
	m, err := k8ssecret.New(k8ssecret.Config{})
	require.NoError(t, err)
	return m
}

// limited is a manager that is asked only for groups that have a text in them, as
// those of Vault and of cloud stores take nearly anything.
type limited struct {
	injector.SecretManager
	text string
}

func (l limited) Mount(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	if !strings.Contains(req.Group, l.text) {
		return mount.Fragment{}, secret.ErrNotFound
	}
	return l.SecretManager.Mount(ctx, req, target)
}

// managers returns the real managers and the fakes, global secrets first.
func managers(t testing.TB) []injector.SecretManager {
	held, err := global.New(global.Config{Source: values{"global/token": canary, "shared/key": canary}})
	require.NoError(t, err)
	aws, err := awssm.New(awssm.Config{})
	require.NoError(t, err)
	vaults, err := vault.New(vault.Config{})
	require.NoError(t, err)
	bao, err := vault.New(vault.Config{Flavor: vault.OpenBao, EnvFiles: true, Mounts: []string{"bao"}, Annotations: map[string]string{"openbao.org/agent-init-first": "true"}})
	require.NoError(t, err)
	google, err := gcpsm.New(gcpsm.Config{Fetcher: gcpsm.Fetch, Image: "registry.example.com/fetch:v1", EnvFiles: true})
	require.NoError(t, err)
	azure, err := azurekv.New(azurekv.Config{Vaults: []string{"https://team.vault.azure.net"}})
	require.NoError(t, err)
	classes, err := csi.New(csi.Config{})
	require.NoError(t, err)
	return []injector.SecretManager{
		held, fetcher, sharing, annotator, driver, aws,
		limited{google, "projects/"}, limited{azure, "https://"}, limited{classes, "class"}, limited{bao, "bao/"}, k8s(t), limited{vaults, "/"},
	}
}

func newInjector(t testing.TB, change func(*injector.Config)) *injector.Injector {
	cfg := injector.Config{Managers: managers(t)}
	if change != nil {
		change(&cfg)
	}
	in, err := injector.New(cfg)
	require.NoError(t, err)
	return in
}

// only stands for the name of a Pod's first container.
const only = "the-first-container"

const arn = "arn:aws:secretsmanager:us-east-2:123456789012:secret"

// requestSets are the requests over which every property must hold.
var requestSets = map[string][]secret.Request{
	"none": nil,
	"variables": {
		{Group: "user-info", Key: "user_secret"},
		{Group: "user-info", Key: "token", Mount: mount.EnvVar, GroupVersion: "v1", EnvVar: "TOKEN"},
		{Group: "global", Key: "token", EnvVar: "GLOBAL"},
		{Group: "driver", Key: "k", Mount: mount.EnvVar},
	},
	"files of Secrets": {
		{Group: "user-info", Key: "username", Mount: mount.File},
		{Group: "user-info", Key: "password", Mount: mount.File, GroupVersion: "v2", EnvVar: "PASSWORD_FILE"},
		{Group: "Other.Group", Key: "My-Key", Mount: mount.File},
		{Group: "driver-a", Key: "k", Mount: mount.File},
	},
	"fetched": {
		{Group: "fetch/a", Key: "one", GroupVersion: "3"},
		{Group: "fetch/a", Key: "two", EnvVar: "TWO_FILE"},
		{Group: "user-info", Key: "username", Mount: mount.File},
	},
	"annotated": {
		{Group: "annotate/a", Key: "one"},
		{Group: "annotate/b", Key: "two", EnvVar: "TWO_FILE"},
		{Group: "user-info", Key: "username", Mount: mount.File},
	},
	"global, Secrets and AWS": {
		{Group: "global", Key: "token"},
		{Group: "user-info", Key: "username", Mount: mount.File, GroupVersion: "v1"},
		{Group: arn, Key: "one-AbCdEf"},
		{Group: arn, Key: "two/$(HOME)-AbCdEf", EnvVar: "TWO_FILE"},
	},
	"global, Secrets and Vault": {
		{Group: "global", Key: "token"},
		{Group: "user-info", Key: "username", Mount: mount.File, GroupVersion: "v1"},
		{Group: "secret/data/flyte", Key: "my-key", GroupVersion: "kv2"},
		{Group: "database/creds/app", Key: "pg", GroupVersion: "db", EnvVar: "PG_FILE"},
	},
	"annotated, with a version": {
		{Group: "annotate/a", Key: "one", GroupVersion: "v1"},
		{Group: "user-info", Key: "username", Mount: mount.File},
	},
	"exact names": {
		{Group: "user-info", Key: "password", Path: "DB/Password", EnvVar: "PASSWORD_FILE"},
		{Group: "other", Key: "token", Path: "DB/Token"},
		{Group: "user-info", Key: "token", Mount: mount.EnvVar, EnvVar: "TOKEN"},
		{Group: "store/a", Key: "k", Path: "Fetched", EnvVar: "FETCHED_FILE"},
		{Group: "store/a", Key: "k", Mount: mount.EnvVar, EnvVar: "FETCHED"},
	},
	"fetched by one container": {
		{Group: "store/a", Key: "one", Mount: mount.File},
		{Group: "store/a", Key: "one", GroupVersion: "2", Mount: mount.File, Mode: 0o400},
		{Group: "store/b", Key: "two", Mount: mount.EnvVar, Field: "password"},
		{Group: "store/b", Key: "three", Mount: mount.EnvVar, EnvVar: "THREE"},
		{Group: "fetch/a", Key: "four"},
	},
	"of Google and Azure": {
		{Group: "projects/p1/secrets/one", GroupVersion: "2", Mount: mount.File},
		{Group: "projects/p1/secrets/two", EnvVar: "TWO"},
		{Group: "projects/p1/secrets/two", Mount: mount.File, Path: "two", Field: "f", Mode: 0o400},
		{Group: "https://team.vault.azure.net/secrets/three"},
		{Group: "user-info", Key: "username", Mount: mount.File},
	},
	"of a driver": {
		{Group: "class-a", Key: "one"},
		{Group: "class-a", Key: "two", EnvVar: "TWO_FILE"},
		{Group: "class-b", Key: "one"},
		{Group: arn, Key: "one-AbCdEf"},
	},
	"variables of another webhook": {
		{Group: "annotate/a", Key: "one", Mount: mount.EnvVar, EnvVar: "ONE"},
		{Group: "annotate/b", Key: "two"},
	},
	"of OpenBao": {
		{Group: "bao/data/app", Key: "one", Mount: mount.EnvVar, EnvVar: "ONE"},
		{Group: "bao/app", Mount: mount.EnvVar, EnvVar: "WHOLE"},
		{Group: "bao/data/app", Key: "two", Mount: mount.File, Mode: 0o440},
	},
	"for one container": {
		{Group: "user-info", Key: "username", Mount: mount.File},
		{Group: "other-info", Key: "password", Mount: mount.File, Container: only},
		{Group: "user-info", Key: "token", EnvVar: "TOKEN"},
		{Group: "user-info", Key: "other", EnvVar: "OTHER", Container: only},
		{Group: "store/b", Key: "two", Mount: mount.EnvVar, Container: only},
	},
	"the same twice": {
		{Group: "user-info", Key: "username"}, {Group: "user-info", Key: "username"},
		{Group: "user-info", Key: "username", EnvVar: "NAME"}, {Group: "user-info", Key: "username", GroupVersion: "v1"},
	},
}
