// Package secret says what a Pod asks for: a [Request] names one secret and how
// a container wants to read it, and the annotation codec carries requests on a
// Pod in the form that Flyte uses.
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
// The package never sees the value of a secret, never reads a Pod's spec, and
// keeps nothing that it is given: all inputs stay as they are, and results
// share nothing with them. No function panics, on any input.
//
// # Annotations
//
// Requests travel as annotations named "flyte.secrets/s<i>", i being 0, 1, 2
// and so on. Each holds one request: Flyte's protobuf message core.Secret in
// the text format, in base32 with the alphabet
// "abcdefghijklmnopqrstuvwxyz123456" and without padding. [EncodeAnnotations]
// writes exactly the bytes that Flyte writes; [DecodeAnnotations] reads every
// spelling that the text format has for such a message. Neither of the two
// validates requests.
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
