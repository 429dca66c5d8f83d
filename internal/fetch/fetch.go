// Package fetch holds what the managers of cloud stores share, and their protocol with
// the program of examples/fetch: the init container, and the variables that tell it
// what to fetch.
//
// One container fetches all secrets of a store. StoreVar names the store. Each further
// variable is an [Item] in JSON: one file or env file. The variable's name is derived
// from the file, so two secrets for one file give one variable two values, which is a
// conflict.
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
	// ItemPrefix is the prefix of the variables that hold an Item.
	ItemPrefix = "PODSECRETS_GET_"

	// FilesDir and EnvDir are the mount paths of mount.FetchVolume and
	// mount.EnvVolume in the container.
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

// Item is a secret and the file to write it to.
type Item struct {
	// ID is the secret's name in the store: an ARN or a name, a resource name, or a
	// URL.
	ID string `json:"id"`
	// Version is the store's version. Empty means the current one.
	Version string `json:"version,omitempty"`
	// Field is a top-level field of a value that is a JSON object.
	Field string `json:"field,omitempty"`
	// File is a path below FilesDir, Env a path below EnvDir. Exactly one is set.
	File string `json:"file,omitempty"`
	Env  string `json:"env,omitempty"`
	// Mode is the permission bits of the file. 0 means DefaultMode.
	Mode int32 `json:"mode,omitempty"`
	// NameLen is the length in bytes of the longest variable name that refers to Env:
	// name and value together have a limit.
	NameLen int `json:"nameLen,omitempty"`
}

// DefaultMode lets every user read a file, as AWS' stock image does.
const DefaultMode = 0o644

// Variable returns the variable that passes the Item to the program.
func (it Item) Variable() corev1.EnvVar {
	text, err := json.Marshal(&it)
	if err != nil {
		panic(err) // impossible: strings and numbers only
	}
	hash := strings.TrimPrefix(mount.Name("fetch", it.File, it.Env), "podsecrets-")
	// The kubelet turns "$$" into "$" and expands "$(NAME)".
	return corev1.EnvVar{Name: ItemPrefix + hash, Value: strings.ReplaceAll(string(text), "$", "$$")}
}

// Container returns the init container of a store, without the variables of secrets.
// It is the same in all Pods.
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

// Fragment returns what a Pod needs so that c fetches the secret in the form
// req.Mount, which is not mount.Any. version is the version in the derived names.
// Copies are further files with the same value; a variable has none.
func Fragment(c *corev1.Container, pullSecrets []corev1.LocalObjectReference, req secret.Request, layout mount.Layout, version string, it Item, copies ...Item) mount.Fragment {
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
		copies = nil
	} else {
		it.File = req.RelPath(layout, version)
		f.File = true
	}
	env := []corev1.EnvVar{it.Variable()}
	for _, copied := range copies {
		if copied.Field, copied.Mode = it.Field, it.Mode; copied.File != it.File {
			env = append(env, copied.Variable())
		}
	}
	f.InitContainers = []mount.InitContainer{{Container: c, Env: env}}
	return f
}

// Form returns the form in which a request is served: its Mount, unless that is
// mount.Any. Then it is a variable if an env file can set its name, otherwise a file.
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

// NameLen returns the length in bytes of the longest variable name that can hold the
// secret.
func NameLen(req secret.Request, layout mount.Layout) int {
	if layout.Exact {
		return len(req.EnvVar)
	}
	return max(len(req.EnvVar), len(layout.EnvVar(req.Group, req.GroupVersion, req.Key)))
}

// Unsupported returns a secret.ErrUnsupported with the reason.
func Unsupported(reason string) (mount.Fragment, error) {
	return mount.Fragment{}, fmt.Errorf("%w: %s", secret.ErrUnsupported, reason)
}
