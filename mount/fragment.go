package mount

import (
	corev1 "k8s.io/api/core/v1"
)

const (
	// FetchVolume is the volume into which fetchers write files: one in memory
	// for all of a Pod. The library adds it to the Pod, and mounts it at
	// Layout.Dir in every receiver of a fetched file; a fetcher mounts it by
	// this name wherever its program writes. It is writable in receivers,
	// because in a read-only volume the kubelet could not make the mount point
	// of another volume below it. So a container can change its Pod's copies of
	// fetched files.
	FetchVolume = namePrefix + "fetched"

	// EnvVolume is the volume into which fetchers write env files: one in memory
	// for all of a Pod. The library adds it to the Pod. Only fetchers mount it,
	// so no container can change what another one reads.
	EnvVolume = namePrefix + "env"
)

// Fragment is what a Pod gains so that its containers can read one secret. It
// is data: the injector merges the fragments of a Pod, names the variables and
// finds the conflicts. The library never writes to a Fragment, so fragments may
// share memory with each other and between calls.
//
// Names of volumes and init containers must come from Name. The variables that
// hold a secret or its path, and the discovery variables, are not part of a
// Fragment.
type Fragment struct {
	// Value, if set, makes the secret a variable. Exactly one of Value and File
	// says how the secret is read. A Value that refers to an env file
	// (FileKeyRef) refers to one in EnvVolume, which one of InitContainers
	// writes, or in Webhook.Volume. Env files need Kubernetes 1.35 on all
	// nodes.
	Value *Value
	// File makes it the file that secret.Request.FilePath names. One of
	// VolumeMounts or the FetchVolume brings it there, or the webhook that
	// Webhook describes. The manager must ensure that the file ends up at that
	// path.
	File bool
	// Versioned says that the store honors the version asked for, so that the
	// name of the variable or file carries it.
	Versioned bool
	// Honors says which further parts of the request the answer follows. An
	// answer that does not honor what the request needs counts as
	// secret.ErrUnsupported.
	Honors Features
	// Reads is what the store will be asked for, in one spelling, for rules
	// about who may read what. The zero value says nothing; then only rules
	// match that do not look at it.
	Reads Object

	// Volumes are added to the Pod. Projected volumes of one name are merged:
	// their Secrets, and the items of each. Any others of one name must be
	// equal.
	Volumes []corev1.Volume
	// VolumeMounts are added to every receiver.
	VolumeMounts []corev1.VolumeMount
	// InitContainers fetch: they write files into the FetchVolume and env files
	// into the EnvVolume. They go where InitOrder says, and never receive
	// secrets.
	InitContainers []InitContainer
	// ImagePullSecrets are added to the Pod's, for the images of
	// InitContainers.
	ImagePullSecrets []corev1.LocalObjectReference

	// Webhook is set if another webhook brings the secret.
	Webhook *Webhook
}

// Features are parts of a request that a manager may or may not follow.
type Features struct {
	Field bool // secret.Request.Field
	Mode  bool // secret.Request.Mode
}

// Object names what a store is asked for: a Secret and a key in it, a path and an
// entry. Its spelling is the store's own, so that one secret has one Object.
type Object struct{ Name, Key string }

// InitContainer is an init container that fetches secrets, and the variables by
// which it learns of one of them.
//
// Fragments with a container of one name share it, and it gets the Env of all.
// So a manager that fetches all secrets in one container gives the same
// Container each time, the same pointer if it can; one that runs a container for
// each secret gives each its own name. One variable with two values is a
// conflict.
//
// When a Pod is injected again, the container is recognized by its name and its
// variables: it must have at least one of them, and none with another value. Put
// everything that distinguishes one container from another into variables that
// Literal makes, because the kubelet expands "$(NAME)" in values. A shared
// container needs one variable in Container.Env that is always the same.
//
// A Pod that passes the Pod Security Standard "restricted" still passes if the
// SecurityContext passes by itself; see Restricted. Containers that share
// directories need one user. In a Pod with resources of its own (spec.resources),
// what Resources say of CPU, memory and huge pages is left out: the Pod's apply.
type InitContainer struct {
	*corev1.Container
	// Env are variables for this secret, behind Container.Env.
	Env []corev1.EnvVar
}

// Webhook says what to tell another webhook that brings the secret, and what it
// will do. That webhook must be called after this library.
type Webhook struct {
	// Annotations are required; a different existing value is a conflict.
	Annotations map[string]string
	// DefaultAnnotations are added where the Pod has none of that name.
	DefaultAnnotations map[string]string
	// AliasAnnotations make it bring the file under its alias too: the derived
	// name with the version where the primary name has none, or without it. They
	// are added if nothing else has that name.
	AliasAnnotations map[string]string
	// ContainersAnnotation is the name of an annotation that lists the
	// receivers, separated by commas, if not all of the Pod's containers
	// receive. It cannot list init containers; excluding one is a conflict. Without
	// such an annotation, excluding any container is a conflict where the secret is a
	// file in Volume.
	ContainersAnnotation string
	// RanAnnotation and RanValue are an annotation and its value by which the
	// webhook marks a Pod that it has changed, and will not change again. The
	// mark is believed only if the Pod has one of Containers, and the Volume at
	// Dir in all receivers.
	RanAnnotation, RanValue string
	// Dir is the directory at which it mounts its volume, and which is
	// announced to the client. Empty means Layout.Dir.
	Dir string
	// Volume is the name of the volume that it adds.
	Volume string
	// Containers are the names of the containers that it adds. They never
	// receive secrets. Where one is among the Pod's init containers already,
	// those behind it start after the secrets are there.
	Containers []string
	// First says that it puts its init container before all others. Otherwise
	// it comes last, and no init container can read what it brings.
	First bool
	// Writes says how other annotations make it write files.
	Writes FileAnnotations
}

// FileAnnotations are the beginnings of the names of annotations, each followed
// by an id, by which a webhook writes one file for each id. An annotation of the
// Pod's own that names one of our files is a conflict.
type FileAnnotations struct {
	Secret string // what to write; the file is the id in lower case, unless File says otherwise
	File   string // the file's path below the directory
	Dir    string // another directory, where the webhook mounts a volume of its own
}
