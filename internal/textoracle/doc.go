// Package textoracle compares package secret's decoder of protobuf's text format with
// prototext, the decoder of google.golang.org/protobuf. It also tests secret.FromProto
// with the type that protoc-gen-go generates for Flyte's message. It has only tests, and
// is a separate module because the library does not depend on protobuf.
package textoracle
