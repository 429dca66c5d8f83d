// Package secret says what a Pod asks for. A [Request] names one secret and how
// a container reads it. The annotation codec carries requests on a Pod.
//
// Start with a Request, check it with [Request.Validate], and let [Stamp] write
// it on a Pod's metadata:
//
//	req := secret.Request{Group: "user-info", Key: "password", Mount: mount.File}
//	if err := req.Validate(); err != nil { ... }
//	labels, annotations, err := secret.Stamp(pod.Labels, pod.Annotations, []secret.Request{req})
//
// Whoever receives the Pod reads the requests back with [DecodeAnnotations].
//
// The package never sees the value of a secret and never reads a Pod's spec.
// Inputs are never modified or retained, and results share nothing with them. No
// function panics, on any input, except where a message that [FromProto] is given
// panics itself.
//
// # Names in a container
//
// A secret has a derived name, which Flyte's client computes from group, version
// and key: see [mount.Layout]. A request may add exact names, which nothing
// changes: [Request.EnvVar] is a variable, and [Request.Path] a file below
// [mount.Layout.Dir]. [Request.EnvName], [Request.FilePath] and [Request.RelPath]
// return the name that counts. In a layout with only exact names
// ([mount.Layout.Exact]) there are no derived ones: a variable is EnvVar, and a
// file is Path, or else "group/key" with its case kept.
//
// # Annotations
//
// Requests travel in two forms, and DecodeAnnotations reads both.
//
// Flyte's form is annotations named "flyte.secrets/s<i>", i being 0, 1, 2 and so
// on. Each holds one request: Flyte's protobuf message core.Secret in the text
// format, in base32 with the alphabet "abcdefghijklmnopqrstuvwxyz123456" and
// without padding. [EncodeAnnotations] writes exactly the bytes that Flyte writes;
// DecodeAnnotations reads every spelling that the text format has for such a
// message. The form has five fields: group, version, key, mount and variable.
//
// The readable form is for people, and has all fields:
//
//	request.podsecrets.dev/db: "group=db,key=password,env=DB_PASSWORD,container=web"
//	request.podsecrets.dev/tls: "group=web-tls,key=tls.key,path=tls/server.key,mode=0400"
//
// What follows the "/" is any valid annotation name; requests are read in its
// sorted order, after all of Flyte's form. The text is one line of CSV with
// name=value in each field, so a comma or a quotation mark needs CSV's quoting:
// group=g,"key=a,b". The names are group, key, version, mount (ANY, ENV_VAR or
// FILE), env, path, field, mode (octal) and container. [Parse] reads this syntax
// and [Request.Text] writes it; command lines can use it too.
//
// Stamp writes each request in Flyte's form if that can carry it, otherwise in
// the readable form under the name "request.podsecrets.dev/stamped-<i>". It
// removes annotations of these two kinds and leaves readable requests of other
// names alone. "request.podsecrets.dev/" in other letters is an error: API servers
// accept such a name, and the secret would silently be missing.
//
// Neither form is validated when it is read or written.
//
// # Flyte's messages
//
// FromProto makes a Request of anything with the getters of core.Secret, such as
// the generated types of flyteidl, without importing protobuf.
//
// # Where the facts come from
//
// Message, field numbers and enum are those of flyteidl's core.Secret
// (flyteidl/core/security.proto); the recorded annotations in testdata were
// made by Flyte itself. The text format is the one of
// https://protobuf.dev/reference/protobuf/textformat-spec/ as
// google.golang.org/protobuf/encoding/prototext reads it with DiscardUnknown,
// which the nested module internal/textoracle compares with this package. What
// a request must be like follows from Flyte's client, flytekit, which is
// written in Python: it upper-cases and lower-cases the parts of a request and
// joins them to the name of a variable and to the path of a file.
package secret
