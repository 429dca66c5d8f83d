package injectortest

import (
	"encoding/json"
	"errors"
	"path"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// held has values, which are JSON for those who ask for a field.
func held(req secret.Request, _ mount.Target) (mount.Fragment, error) {
	switch {
	case req.Mount == mount.File:
		return mount.Fragment{}, secret.ErrUnsupported
	case req.Field != "":
		return mount.Fragment{}, errors.New("it has no such field")
	}
	return mount.Fragment{Value: mount.Literal(canary)}, nil
}

// vars has references, and ignores fields.
func vars(req secret.Request, _ mount.Target) (mount.Fragment, error) {
	if req.Mount == mount.File {
		return mount.Fragment{}, secret.ErrUnsupported
	}
	return mount.Fragment{Value: reference(req.Group, req.Key)}, nil
}

// fetchedFile has a fetcher for each secret, and honors everything.
func fetchedFile(req secret.Request, target mount.Target) (mount.Fragment, error) {
	if req.Mount == mount.EnvVar {
		return mount.Fragment{}, secret.ErrUnsupported
	}
	team, _ := target.Annotation("team")
	file := "/out/" + req.RelPath(target.Layout(), req.GroupVersion)
	what := strings.Join([]string{req.Group, req.GroupVersion, req.Key, req.Field, team}, ":")
	return mount.Fragment{
		File:      true,
		Versioned: true,
		Honors:    mount.Features{Field: true, Mode: true},
		Webhook:   &mount.Webhook{Annotations: map[string]string{"store.example.com/asked": "true"}, ContainersAnnotation: "store.example.com/containers"},
		InitContainers: []mount.InitContainer{{
			Container: &corev1.Container{
				Name:         mount.Name("good", what, file, octal(req.Mode)),
				VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/out"}},
			},
			Env: []corev1.EnvVar{
				mount.Literal(what).EnvVar("WHAT"),
				mount.Literal(file).EnvVar("FILE"),
				mount.Literal(octal(req.Mode)).EnvVar("MODE"),
			},
		}},
	}, nil
}

func octal(mode int32) string { return strconv.FormatInt(int64(mode), 8) }

// volumeFile has files in projected volumes, and honors modes.
func volumeFile(req secret.Request, target mount.Target) (mount.Fragment, error) {
	if req.Mount == mount.EnvVar || req.Field != "" {
		return mount.Fragment{}, secret.ErrUnsupported
	}
	dir, item := path.Split(req.FilePath(target.Layout(), ""))
	name := mount.Name("volume", dir)
	it := corev1.KeyToPath{Key: req.Key, Path: item}
	if req.Mode != 0 {
		it.Mode = &req.Mode
	}
	return mount.Fragment{
		File:   true,
		Honors: mount.Features{Mode: true},
		Volumes: []corev1.Volume{{Name: name, VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			Sources: []corev1.VolumeProjection{{Secret: &corev1.SecretProjection{
				LocalObjectReference: corev1.LocalObjectReference{Name: strings.ReplaceAll(req.Group, "/", ".")},
				Items:                []corev1.KeyToPath{it},
			}}},
		}}}},
		VolumeMounts: []corev1.VolumeMount{{Name: name, MountPath: path.Clean(dir), ReadOnly: true}},
	}, nil
}

var sharedContainer = &corev1.Container{
	Name:         mount.Name("good", "fetch"),
	Env:          []corev1.EnvVar{mount.Literal("https://store.example.com").EnvVar("STORE")},
	VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/files"}, {Name: mount.EnvVolume, MountPath: "/env"}},
}

// sharedFetcher has one fetcher for all secrets, variables and files, and honors
// fields.
func sharedFetcher(req secret.Request, target mount.Target) (mount.Fragment, error) {
	what := strings.Join([]string{req.Group, req.GroupVersion, req.Key, req.Field}, ":")
	f := mount.Fragment{Versioned: true, Honors: mount.Features{Field: true}, Reads: mount.Object{Name: req.Group, Key: req.Key}}
	file := mount.Name(what) + "/env"
	if f.File = req.Mount == mount.File; f.File {
		file = req.RelPath(target.Layout(), req.GroupVersion)
	} else {
		f.Value = envFile(mount.EnvVolume, file)
	}
	config, err := json.Marshal(map[string]string{"what": what, "to": file})
	f.InitContainers = []mount.InitContainer{{Container: sharedContainer, Env: []corev1.EnvVar{
		mount.Literal(string(config)).EnvVar("FETCH_" + mount.Name(what, file)),
	}}}
	return f, err
}

func envFile(volume, file string) *mount.Value {
	return mount.FromSource(&corev1.EnvVarSource{FileKeyRef: &corev1.FileKeySelector{VolumeName: volume, Path: file, Key: "V"}})
}

func reference(name, key string) *mount.Value {
	return mount.FromSource(&corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: key,
	}})
}

// vaultsFile has what Vault's agent brings, variables and files, and honors modes.
// Files have no version in their name, and an alias with it.
func vaultsFile(req secret.Request, target mount.Target) (mount.Fragment, error) {
	if req.Field != "" {
		return mount.Fragment{}, secret.ErrUnsupported
	}
	const prefix = "vault.hashicorp.com/"
	layout := target.Layout()
	if own, ok := target.Annotation(prefix + agentVolume); ok {
		layout.Dir = own
	}
	bring := func(file string) map[string]string {
		id := mount.Name(req.Group, req.GroupVersion, req.Key, file)
		all := map[string]string{prefix + agentSecret + id: req.Group, prefix + agentFile + id: file}
		if req.Mode != 0 {
			all[prefix+agentPerms+id] = "0" + octal(req.Mode)
		}
		return all
	}
	f := mount.Fragment{Honors: mount.Features{Mode: true}, Webhook: &mount.Webhook{
		ContainersAnnotation: prefix + agentContainers, Volume: "vault-secrets", Containers: []string{"vault-agent-init", "vault-agent"},
		DefaultAnnotations: map[string]string{prefix + agentInject: "true", prefix + agentVolume: layout.Dir},
		First:              target.InitOrder() == mount.InitFirst,
		Dir:                layout.Dir,
	}}
	if f.Webhook.First {
		f.Webhook.DefaultAnnotations[prefix+agentFirst] = "true"
	}
	if req.Mount == mount.EnvVar {
		file := "env/" + mount.Name(req.Group, req.GroupVersion, req.Key)
		f.Value, f.Webhook.Annotations = envFile("vault-secrets", file), bring(file)
		return f, nil
	}
	f.File, f.Webhook.Annotations = true, bring(req.RelPath(layout, ""))
	if req.GroupVersion != "" && req.Path == "" && !layout.Exact {
		f.Webhook.AliasAnnotations = bring(req.RelPath(layout, req.GroupVersion))
	}
	return f, nil
}

// hooksFile has files that a webhook brings of which the kit knows nothing.
func hooksFile(req secret.Request, target mount.Target) (mount.Fragment, error) {
	if req.Mount == mount.EnvVar || req.Field != "" {
		return mount.Fragment{}, secret.ErrUnsupported
	}
	file := req.RelPath(target.Layout(), "")
	return mount.Fragment{File: true, Webhook: &mount.Webhook{
		Annotations:          map[string]string{"hook.example.com/" + mount.Name(file): req.Group + ":" + req.Key + ":" + file},
		ContainersAnnotation: "hook.example.com/containers", Volume: "hook",
	}}, nil
}

// driversFile has files that a driver names.
func driversFile(req secret.Request, target mount.Target) (mount.Fragment, error) {
	dir, file := path.Split(req.FilePath(target.Layout(), ""))
	if req.Mount == mount.EnvVar || req.Field != "" || file != req.Key {
		return mount.Fragment{}, secret.ErrUnsupported
	}
	name := mount.Name("driver", req.Group)
	return mount.Fragment{
		File: true,
		Volumes: []corev1.Volume{{Name: name, VolumeSource: corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{
			Driver: "driver.example.com", VolumeAttributes: map[string]string{"class": req.Group},
		}}}},
		VolumeMounts: []corev1.VolumeMount{{Name: name, MountPath: path.Clean(dir)}},
	}, nil
}
