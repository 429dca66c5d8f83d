package injector_test

import (
	"context"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

// fake is a manager that serves the groups that begin with its name.
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

// fetcher fetches files with init containers, and honours versions.
var fetcher = fake{"fetch", func(req secret.Request, target mount.Target) (mount.Fragment, error) {
	if req.Mount == mount.EnvVar {
		return mount.Fragment{}, secret.ErrUnsupported
	}
	file := target.Layout().Path(req.Group, req.GroupVersion, req.Key)
	return mount.Fragment{
		File:      true,
		Versioned: true,
		Fetchers: []corev1.Container{{
			Name:         mount.Name("fetch", req.Group, req.GroupVersion, req.Key),
			Image:        "fetch:v1",
			Env:          []corev1.EnvVar{{Name: "TO", Value: "/tmp" + strings.TrimPrefix(file, target.Layout().Dir)}},
			VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/tmp"}},
		}},
		ImagePullSecrets: []corev1.LocalObjectReference{{Name: "pull"}},
	}, nil
}}

// annotator has somebody else bring files, whom annotations instruct, to a
// directory of its own.
var annotator = fake{"annotate", func(req secret.Request, target mount.Target) (mount.Fragment, error) {
	if req.Mount == mount.EnvVar {
		return mount.Fragment{}, secret.ErrUnsupported
	}
	return mount.Fragment{
		File: true,
		Annotations: map[string]string{
			"agent.example.com/" + mount.Name(req.Group, req.Key): req.Key,
			"agent.example.com/inject":                            "true",
		},
		DefaultAnnotations: map[string]string{"agent.example.com/role": "default"},
	}, nil
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
		VolumeMounts: []corev1.VolumeMount{{Name: name, MountPath: path.Dir(target.Layout().Path(req.Group, "", req.Key))}},
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

// paths is a manager that is asked only for groups that are paths, as Vault's
// takes anything for one.
type paths struct{ injector.SecretManager }

func (p paths) Mount(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	if !strings.Contains(req.Group, "/") {
		return mount.Fragment{}, secret.ErrNotFound
	}
	return p.SecretManager.Mount(ctx, req, target)
}

// managers returns the real managers and the fakes, global secrets first.
func managers(t testing.TB) []injector.SecretManager {
	held, err := global.New(global.Config{Source: values{"global/token": canary, "shared/key": canary}})
	require.NoError(t, err)
	aws, err := awssm.New(awssm.Config{})
	require.NoError(t, err)
	vaults, err := vault.New(vault.Config{})
	require.NoError(t, err)
	return []injector.SecretManager{held, fetcher, annotator, driver, aws, k8s(t), paths{vaults}}
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

const arn = "arn:aws:secretsmanager:us-east-2:123456789012:secret"

// requestSets are the requests over which every property must hold.
func requestSets() map[string][]secret.Request {
	return map[string][]secret.Request{
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
		"the same twice": {
			{Group: "user-info", Key: "username"}, {Group: "user-info", Key: "username"},
			{Group: "user-info", Key: "username", EnvVar: "NAME"}, {Group: "user-info", Key: "username", GroupVersion: "v1"},
		},
	}
}
