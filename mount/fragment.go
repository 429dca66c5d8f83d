package mount

import (
	corev1 "k8s.io/api/core/v1"
)

const (
	// FetchVolume is the volume into which fetchers write files: one in-memory
	// volume per Pod. The library adds it to the Pod, and mounts it at
	// Layout.Dir in every receiver of a fetched file. A fetcher mounts the
	// volume by this name, at the path where its program writes. Receivers
	// mount it writable: in a read-only volume, the kubelet cannot create the
	// mount point of another volume. A container can therefore change its Pod's
	// copies of fetched files.
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
	// File makes the secret a file at the path that secret.Request.FilePath
	// returns. The file comes from one of VolumeMounts, from the FetchVolume,
	// or from Webhook. The manager must ensure that it ends up at that path.
	File bool
	// Versioned means that the store honors the requested version. The primary
	// name then contains the version.
	Versioned bool
	// Honors lists the optional parts of the request that the fragment follows.
	// If the fragment does not honor a part that the request sets, the injector
	// treats it as secret.ErrUnsupported.
	Honors Features
	// Reads is what the store will be asked for, in one canonical spelling, so
	// that rules can decide who may read it. If it is the zero value, only
	// rules without Names and Keys match.
	Reads Object

	// Volumes are added to the Pod. Projected volumes of Secrets with the same
	// name become one volume with the Secrets and items of all. Other volumes
	// with the same name must be equal.
	Volumes []corev1.Volume
	// VolumeMounts are added to every receiver.
	VolumeMounts []corev1.VolumeMount
	// InitContainers are the fetchers: they write files into the FetchVolume
	// and env files into the EnvVolume. InitOrder decides their position. They
	// never receive secrets.
	InitContainers []InitContainer
	// ImagePullSecrets are added to those of the Pod, for the images of
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

// InitContainer is a fetcher, with the variables that tell it about one secret.
//
// Fragments with containers of the same name share one container, which gets
// the Env of all of them. A manager that fetches all secrets in one container
// returns the same Container each time, ideally the same pointer. A manager
// that runs one container per secret gives each a different name. One variable
// with two values is a conflict.
//
// When a Pod is injected again, the injector recognizes a container by its name
// and its variables. The container must have at least one of these variables,
// and none of them with another value. Without any variables, the name is
// enough. Put everything that distinguishes one container from another into
// variables. Use Literal to make them, because the kubelet expands "$(NAME)" in
// values. A shared container needs a variable in Container.Env that never
// changes, so that it is recognized when other secrets are requested.
//
// A Pod that passes the Pod Security Standard "restricted" still passes if the
// container's SecurityContext alone passes; see Restricted. Containers that
// share directories need the same user. The injector omits from Resources what
// the Pod as a whole requests or limits (spec.resources): CPU, memory and huge
// pages.
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
	// AliasAnnotations make the webhook write the file under its alias too.
	// They are added if nothing else has that name.
	AliasAnnotations map[string]string
	// ContainersAnnotation is the name of an annotation that lists the
	// receivers, separated by commas. It is added if not all of the Pod's
	// containers are receivers. It cannot list init containers, so an init
	// container that is not a receiver is a conflict. If ContainersAnnotation
	// is empty and the secret is a file in Volume, any container that is not a
	// receiver is a conflict.
	ContainersAnnotation string
	// RanAnnotation and RanValue are the annotation and value with which the
	// webhook marks a Pod that it has changed and will not change again. The
	// mark is a conflict unless the Pod has one of Containers, and all
	// receivers mount Volume at Dir.
	RanAnnotation, RanValue string
	// Dir is where the webhook mounts its volume; the discovery variables name
	// this directory. Empty means Layout.Dir.
	Dir string
	// Volume is the name of the volume that the webhook adds.
	Volume string
	// Containers are the names of the containers that the webhook adds. They
	// never receive secrets. If one of them is already among the Pod's init
	// containers, the secrets are available to the init containers after it.
	Containers []string
	// First means that the webhook puts its init container before all others.
	// Otherwise the webhook puts it last, and no other init container can read
	// the secret.
	First bool
	// Writes describes other annotations that make the webhook write files.
	Writes FileAnnotations
}

// FileAnnotations has the prefixes of annotations that make the webhook write
// files. In an annotation's name, an id follows the prefix. The webhook writes
// one file for each id. The Pod's own annotation is a conflict if it makes the
// webhook write or hide a file of a secret.
type FileAnnotations struct {
	Secret string // which secret to write; without a File annotation, the file's name is the id in lower case
	File   string // the file's path below the directory
	Dir    string // another directory for this file, in which the webhook mounts a separate volume
}
