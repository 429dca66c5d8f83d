package main

import (
	"encoding/json"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// observe returns the variables and files of the Pod's only container with their
// secrets, in the notation of the vectors. It derives them from the Pod alone: from
// volumes, fetchers' variables, and annotations for Vault's injector.
func observe(t testing.TB, pod *corev1.Pod) (env, files map[string]string) {
	require.Len(t, pod.Spec.Containers, 1)
	app := pod.Spec.Containers[0]
	o := observer{t, map[string]string{}, map[string]string{}}
	for _, c := range pod.Spec.InitContainers {
		o.fetcher(c)
	}
	dir := ""
	for _, m := range app.VolumeMounts {
		i := slices.IndexFunc(pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
		require.GreaterOrEqual(t, i, 0)
		if m.Name == mount.FetchVolume {
			dir = m.MountPath
		}
		if projected := pod.Spec.Volumes[i].Projected; projected != nil {
			o.projected(projected, m.MountPath)
		}
	}
	files = map[string]string{}
	for name, value := range o.files {
		if !path.IsAbs(name) { // in the volume of fetched files
			require.NotEmpty(t, dir)
			name = path.Join(dir, name)
		}
		files[name] = value
	}
	maps.Copy(files, vaultFiles(t, pod.Annotations))
	return o.variables(app.Env), files
}

type observer struct {
	t        testing.TB
	files    map[string]string // by path, relative to the volume of fetched files
	envFiles map[string]string // by path in the volume of env files
}

func (o *observer) projected(source *corev1.ProjectedVolumeSource, dir string) {
	for _, s := range source.Sources {
		for _, item := range s.Secret.Items {
			o.files[path.Join(dir, item.Path)] = "k8s " + s.Secret.Name + " " + item.Key
		}
	}
}

// fetcher adds the secrets that a container fetches.
func (o *observer) fetcher(c corev1.Container) {
	env := map[string]string{}
	for _, e := range c.Env {
		env[e.Name] = strings.ReplaceAll(e.Value, "$$", "$")
	}
	file := strings.TrimPrefix(env["SECRET_FILE"], "/podsecrets/files/")
	switch {
	case env["SECRET_ARN"] != "":
		o.files[strings.TrimPrefix(env["SECRET_FILENAME"], "/")] = "aws " + env["SECRET_ARN"]
	case env["SECRET_URL"] != "":
		vault, id, _ := strings.Cut(env["SECRET_URL"], "/secrets/")
		value := "azure " + vault + "/secrets/" + strings.ReplaceAll(id, "/", " ")
		o.files[file] = value
		if copied := env["SECRET_COPY"]; copied != "" {
			o.files[strings.TrimPrefix(copied, "/podsecrets/files/")] = value
		}
	case env["SECRET_VERSION"] != "" && env["SECRET_NAME"] != "":
		o.files[file] = "gcp " + env["SECRET_NAME"] + " " + env["SECRET_VERSION"]
	case env["SECRET_VERSION"] != "":
		o.files[file] = "gcp " + strings.Replace(env["SECRET_VERSION"], "/versions/", " ", 1)
	}
	for name, value := range env {
		if !strings.HasPrefix(name, "PODSECRETS_GET_") {
			continue
		}
		var item struct{ ID, Version, Field, File, Env string }
		require.NoError(o.t, json.Unmarshal([]byte(value), &item))
		value := env["PODSECRETS_STORE"] + " " + item.ID
		if env["PODSECRETS_STORE"] == "gcp" && item.Version == "" {
			value += " latest"
		}
		if item.Field != "" {
			value += " ." + item.Field
		}
		if item.Env != "" {
			o.envFiles[item.Env] = value
		} else {
			o.files[item.File] = value
		}
	}
}

func (o *observer) variables(env []corev1.EnvVar) map[string]string {
	all := map[string]string{}
	for _, e := range env {
		value := strings.ReplaceAll(e.Value, "$$", "$")
		switch ref := e.ValueFrom; {
		case mount.IsDiscoveryVar(e.Name):
			continue
		case ref != nil && ref.SecretKeyRef != nil:
			value = "k8s " + ref.SecretKeyRef.Name + " " + ref.SecretKeyRef.Key
		case ref != nil:
			value = o.envFiles[ref.FileKeyRef.Path]
		case value == "the global secret":
			value = "global"
		default:
			value = "path " + value
		}
		all[e.Name] = value
	}
	return all
}

var templateKey = regexp.MustCompile(`index [.A-Za-z]+ ("(?:[^"\\]|\\.)*")`)

// vaultFiles returns the files that annotations request from Vault's injector.
func vaultFiles(t testing.TB, annotations map[string]string) map[string]string {
	const prefix = "vault.hashicorp.com/agent-inject-"
	files := map[string]string{}
	for name, file := range annotations {
		id, ok := strings.CutPrefix(name, prefix+"file-")
		if !ok {
			continue
		}
		secretPath := annotations[prefix+"secret-"+id]
		require.NotEmpty(t, secretPath)
		value := "vault " + secretPath
		if key := templateKey.FindStringSubmatch(annotations[prefix+"template-"+id]); key != nil {
			unquoted, err := strconv.Unquote(key[1])
			require.NoError(t, err)
			value += " " + unquoted
		}
		files[path.Join(annotations["vault.hashicorp.com/secret-volume-path"], file)] = value
	}
	return files
}
