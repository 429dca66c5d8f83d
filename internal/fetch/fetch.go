// Package fetch is what the managers of cloud stores and the program of
// examples/fetch agree on: the init container, and the variables by which it
// learns what to fetch.
//
// One container fetches all secrets of a store. A variable of its own names the
// store, and each further variable is one file or env file: an [Item] in JSON.
// A variable is named after the file, so that two secrets for one file are one
// variable with two values, which is a conflict.
package fetch

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/names"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

const (
	// StoreVar is the variable that names the store: AWS, GCP or Azure.
	StoreVar = "PODSECRETS_STORE"
	// ItemPrefix begins the name of each variable that holds an Item.
	ItemPrefix = "PODSECRETS_GET_"

	// FilesDir and EnvDir are where the container mounts mount.FetchVolume and
	// mount.EnvVolume.
	FilesDir = "/podsecrets/files"
	EnvDir   = "/podsecrets/env"

	// EnvKey is the key in each env file.
	EnvKey = "V"
)

// The stores.
const (
	AWS   = "aws"
	GCP   = "gcp"
	Azure = "azure"
)

// FetcherString returns the text form of a manager's Fetcher, which is Stock or
// Fetch.
func FetcherString(fetcher uint8) string {
	if texts := [...]string{"Stock", "Fetch"}; int(fetcher) < len(texts) {
		return texts[fetcher]
	}
	return fmt.Sprintf("Fetcher(%d)", fetcher)
}

// Item is a secret, and the one file into which it goes.
type Item struct {
	// ID is the secret as the store names it: an ARN or a name, a resource name,
	// a URL.
	ID string `json:"id"`
	// Version is the store's version. Empty means the current one.
	Version string `json:"version,omitempty"`
	// Field is a top-level field of a value that is a JSON object.
	Field string `json:"field,omitempty"`
	// File is a path below FilesDir, Env one below EnvDir. One of them is set.
	File string `json:"file,omitempty"`
	Env  string `json:"env,omitempty"`
	// Mode is the permission bits of the file. 0 means DefaultMode.
	Mode int32 `json:"mode,omitempty"`
	// NameLen is the length of the longest name of a variable that Env is for, in
	// bytes: name and value together have a limit.
	NameLen int `json:"nameLen,omitempty"`
}

// DefaultMode lets every user of a Pod's containers read a file, as AWS' stock
// image does.
const DefaultMode = 0o644

// Variable returns the variable that hands the Item over.
func (it Item) Variable() corev1.EnvVar {
	text, err := json.Marshal(&it)
	if err != nil {
		panic(err) // of texts and numbers
	}
	hash := strings.TrimPrefix(mount.Name("fetch", it.File, it.Env), "podsecrets-")
	// The kubelet turns "$$" into "$" and expands "$(NAME)".
	return corev1.EnvVar{Name: ItemPrefix + hash, Value: strings.ReplaceAll(string(text), "$", "$$")}
}

// Container returns what is the same in all Pods: the container of a store,
// without the variables of secrets.
func Container(store string, template corev1.Container) *corev1.Container {
	c := template.DeepCopy()
	c.Name = mount.Name(store, "fetch")
	c.Env = append([]corev1.EnvVar{{Name: StoreVar, Value: store}}, c.Env...)
	c.VolumeMounts = []corev1.VolumeMount{
		{Name: mount.FetchVolume, MountPath: FilesDir},
		{Name: mount.EnvVolume, MountPath: EnvDir},
	}
	return c
}

// Fragment returns what a Pod needs so that the container fetches a secret in the
// form that the request asks for, which is not mount.Any. version is the one that
// the name carries. Further items have no name of their own in the Pod.
func Fragment(c *corev1.Container, pullSecrets []corev1.LocalObjectReference, req secret.Request, layout mount.Layout, version string, it Item, more ...Item) mount.Fragment {
	it.Field, it.Mode = req.Field, req.Mode
	f := mount.Fragment{
		Versioned:        version != "",
		Honors:           mount.Features{Field: true, Mode: true},
		ImagePullSecrets: pullSecrets,
	}
	if req.Mount == mount.EnvVar {
		it.NameLen = NameLen(req, layout)
		it.Env = strings.TrimPrefix(mount.Name("env", it.ID, it.Version, it.Field, strconv.Itoa(it.NameLen)), "podsecrets-")
		f.Value = mount.FromSource(&corev1.EnvVarSource{FileKeyRef: &corev1.FileKeySelector{
			VolumeName: mount.EnvVolume, Path: it.Env, Key: EnvKey,
		}})
		more = nil
	} else {
		it.File = req.RelPath(layout, version)
		f.File = true
	}
	env := []corev1.EnvVar{it.Variable()}
	for _, further := range more {
		if further.Field, further.Mode = it.Field, it.Mode; further.File != it.File {
			env = append(env, further.Variable())
		}
	}
	f.InitContainers = []mount.InitContainer{{Container: c, Env: env}}
	return f
}

// Form returns what a request becomes, with its Mount if that is not mount.Any: a
// variable if env files can hold it under its name, otherwise a file.
func Form(req secret.Request, layout mount.Layout, version string, envFiles bool) mount.Type {
	form := req.Form(layout)
	switch {
	case form != mount.Any:
		return form
	case !envFiles:
		return mount.File
	}
	if name := req.EnvName(layout, version); names.IsRelaxedEnvVar(name) && !mount.IsDiscoveryVar(name) {
		return mount.EnvVar
	}
	return mount.File
}

// NameLen returns the length of the longest name of a variable that can hold the
// secret, in bytes.
func NameLen(req secret.Request, layout mount.Layout) int {
	if layout.Exact {
		return len(req.EnvVar)
	}
	return max(len(req.EnvVar), len(layout.EnvVar(req.Group, req.GroupVersion, req.Key)))
}
