// Package textoracle compares package secret's decoder of protobuf's text
// format with google.golang.org/protobuf's own, prototext, and hands what
// protoc-gen-go makes of Flyte's message to secret.FromProto. It has tests only,
// and is a module of its own because the library does not depend on protobuf.
package textoracle
