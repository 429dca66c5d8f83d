// Package secret describes what a Pod asks for. A [Request] names one secret
// and how a container reads it. A Pod's annotations store its requests.
//
// Start with a Request, check it with [Request.Validate], and let [Stamp] write
// it to a Pod's metadata:
//
//	req := secret.Request{Group: "user-info", Key: "password", Mount: mount.File}
//	if err := req.Validate(); err != nil { ... }
//	labels, annotations, err := secret.Stamp(pod.Labels, pod.Annotations, []secret.Request{req})
//
// [DecodeAnnotations] reads the requests back from the Pod.
//
// The package never sees a secret's value and never reads a Pod's spec. Inputs
// are never modified or retained, and results share no memory with them. No
// function panics on any input, unless a message given to [FromProto] panics.
//
// # Names in a container
//
// A secret has a derived name, which Flyte's client computes from group,
// version and key; see [mount.Layout]. A request may also have exact names,
// which are used unchanged: [Request.EnvVar] names a variable, and
// [Request.Path] a file below [mount.Layout.Dir]. [Request.EnvName],
// [Request.FilePath] and [Request.RelPath] return the primary name. A layout
// with [mount.Layout.Exact] has no derived names: a variable is EnvVar, and a
// file is Path, or else "group/key" with its case kept.
//
// # Annotations
//
// Requests have two forms, and DecodeAnnotations reads both.
//
// Flyte's form uses annotations named "flyte.secrets/s<i>", where i is 0, 1, 2
// and so on. Each contains one request: Flyte's protobuf message core.Secret in
// text format, encoded in base32 with the alphabet
// "abcdefghijklmnopqrstuvwxyz123456" and without padding. [EncodeAnnotations]
// writes exactly the bytes that Flyte writes. DecodeAnnotations reads every
// spelling that the text format allows. This form has five fields: group,
// version, key, mount and env (the variable).
//
// The readable form is for people, and has all fields:
//
//	request.podsecrets.dev/db: "group=db,key=password,env=DB_PASSWORD,container=web"
//	request.podsecrets.dev/tls: "group=web-tls,key=tls.key,path=tls/server.key,mode=0400"
//
// The part after the "/" can be anything that Kubernetes accepts in the name of
// an annotation. DecodeAnnotations returns these requests after those in
// Flyte's form, sorted by name. The text is one line of CSV with name=value in
// each field. A field with a comma or a quotation mark needs CSV quoting:
// group=g,"key=a,b". The names are group, key, version, mount (ANY, ENV_VAR or
// FILE), env, path, field, mode (octal) and container. [Parse] reads this
// syntax and [Request.Text] writes it; command lines can use it too.
//
// Stamp writes each request in Flyte's form if possible, otherwise in the
// readable form with the name "request.podsecrets.dev/stamped-<i>". It removes
// existing annotations with these two kinds of names, and keeps readable
// requests with other names.
//
// To DecodeAnnotations, a name that begins with "request.podsecrets.dev/" in
// upper or mixed case is an error. API servers accept such a name, so the
// secret would otherwise be missing without an error.
//
// Neither reading nor writing validates requests.
//
// # Flyte's messages
//
// FromProto makes a Request from any message with the getters of core.Secret,
// such as the generated types of flyteidl, without importing protobuf.
//
// # Sources
//
// The message, field numbers and enum come from flyteidl's core.Secret
// (flyteidl/core/security.proto). Flyte itself made the recorded annotations in
// testdata. The text format is defined at
// https://protobuf.dev/reference/protobuf/textformat-spec/; this package reads
// it as google.golang.org/protobuf/encoding/prototext does with DiscardUnknown,
// but does not check the values of unknown fields. The nested module
// internal/textoracle compares the two. The rules for valid requests follow from
// Flyte's client, flytekit, which is written in Python: it upper-cases and
// lower-cases the parts of a request and joins them into the name of a variable
// and the path of a file.
package secret
