package mount

import (
	corev1 "k8s.io/api/core/v1"
)

const (
	// FetchVolume is the volume into which fetchers write files: one in-memory
	// volume per Pod. The library adds it to the Pod, and mounts it at
	// Layout.Dir in every receiver of a fetched file. A fetcher mounts it by
	// this name, wherever its program writes. Receivers mount it writable,
	// because the kubelet could not create the mount point of another volume
	// below it in a read-only volume. A container can therefore change its
	// Pod's copies of fetched files.
	FetchVolume = namePrefix + "fetched"

	// EnvVolume is the volume into which fetchers write env files: one
	// in-memory volume per Pod. The library adds it to the Pod. Only fetchers
	// mount it, so no container can change the variables of another.
	EnvVolume = namePrefix + "env"
)

// Fragment is what a Pod needs so that its containers can read one secret. It
// is data: the injector merges the fragments of a Pod, names the variables and
// finds conflicts. The library never writes to a Fragment, so fragments may
// share memory with each other and across calls.
//
// Names of volumes and init containers must come from Name. The variables with
// a secret or its path, and the discovery variables, are not part of a
// Fragment.
type Fragment struct {
	// Value, if set, makes the secret a variable. Exactly one of Value and File
	// must be set. A Value that refers to an env file (FileKeyRef) must use a
	// file in EnvVolume that one of InitContainers writes, or a file in
	// Webhook.Volume. Env files need Kubernetes 1.35 on all nodes.
	Value *Value
	// File makes the secret the file that secret.Request.FilePath names. It
	// comes from one of VolumeMounts, from the FetchVolume, or from Webhook.
	// The manager must ensure that the file ends up at that path.
	File bool
	// Versioned means that the store honors the requested version, so the name
	// of the variable or file contains it.
	Versioned bool
	// Honors lists the optional parts of the request that the fragment follows.
	// A fragment that does not honor what the request needs counts as
	// secret.ErrUnsupported.
	Honors Features
	// Reads is what the store will be asked for, in one canonical spelling, so
	// that rules can decide who may read it. With the zero value, only rules
	// match that allow any name and key.
	Reads Object

	// Volumes are added to the Pod. Projected volumes with the same name are
	// merged: their Secrets, and the items of each. Other volumes with the same
	// name must be equal.
	Volumes []corev1.Volume
	// VolumeMounts are added to every receiver.
	VolumeMounts []corev1.VolumeMount
	// InitContainers fetch secrets: they write files into the FetchVolume and
	// env files into the EnvVolume. InitOrder decides their position. They
	// never receive secrets.
	InitContainers []InitContainer
	// ImagePullSecrets are added to the Pod's, for the images of
	// InitContainers.
	ImagePullSecrets []corev1.LocalObjectReference

	// Webhook is set if another webhook provides the secret.
	Webhook *Webhook
}

// Features are the optional parts of a request that a manager may honor.
type Features struct {
	Field bool // secret.Request.Field
	Mode  bool // secret.Request.Mode
}

// Object is what a store is asked for, such as a Secret and a key in it, or a
// path and an entry. The spelling is the store's own, and each secret has
// exactly one.
type Object struct{ Name, Key string }

// InitContainer is an init container that fetches secrets, with the variables
// that tell it about one of them.
//
// Fragments with containers of the same name share one container, which gets
// the Env of all of them. A manager that fetches all secrets in one container
// returns the same Container each time, ideally the same pointer. A manager
// that runs one container per secret gives each a different name. One variable
// with two values is a conflict.
//
// When a Pod is injected again, a container is recognized by its name and its
// variables: it must have at least one of them, and none with another value.
// Put everything that distinguishes one container from another into variables
// made by Literal, because the kubelet expands "$(NAME)" in values. A shared
// container needs a variable in Container.Env that never changes.
//
// A Pod that passes the Pod Security Standard "restricted" still passes if the
// SecurityContext passes by itself; see Restricted. Containers that share
// directories need the same user. If the Pod has its own resources
// (spec.resources), CPU, memory and huge pages are omitted from Resources: the
// Pod's values apply.
type InitContainer struct {
	*corev1.Container
	// Env are the variables for this secret, appended to Container.Env.
	Env []corev1.EnvVar
}

// Webhook describes how another webhook provides the secret. The API server
// must call that webhook after this library.
type Webhook struct {
	// Annotations are required; a different existing value is a conflict.
	Annotations map[string]string
	// DefaultAnnotations are added unless the Pod already has annotations with
	// these names.
	DefaultAnnotations map[string]string
	// AliasAnnotations make the webhook write the file under its alias too: the
	// derived name with the version if the primary name has none, without it
	// otherwise. They are added if nothing else has that name.
	AliasAnnotations map[string]string
	// ContainersAnnotation is the name of an annotation that lists the
	// receivers, separated by commas, if not all of the Pod's containers
	// receive. It cannot list init containers; excluding one is a conflict.
	// Without such an annotation, excluding any container is a conflict if the
	// secret is a file in Volume.
	ContainersAnnotation string
	// RanAnnotation and RanValue are the annotation and value with which the
	// webhook marks a Pod that it has changed and will not change again. The
	// mark counts only if the Pod has one of Containers, and Volume at Dir in
	// all receivers.
	RanAnnotation, RanValue string
	// Dir is where the webhook mounts its volume; the discovery variables name
	// this directory. Empty means Layout.Dir.
	Dir string
	// Volume is the name of the volume that the webhook adds.
	Volume string
	// Containers are the names of the containers that the webhook adds. They
	// never receive secrets. If one is already among the Pod's init containers,
	// those after it start when the secrets are available.
	Containers []string
	// First means that the webhook puts its init container before all others.
	// Otherwise it comes last, and no init container can read the secret.
	First bool
	// Writes describes other annotations that make the webhook write files.
	Writes FileAnnotations
}

// FileAnnotations are prefixes of annotation names, each followed by an id. The
// webhook writes one file per id. An annotation on the Pod that names one of
// our files is a conflict.
type FileAnnotations struct {
	Secret string // what to write; the file is the id in lower case, unless File is set
	File   string // the file's path below the directory
	Dir    string // another directory, where the webhook mounts a separate volume
}
