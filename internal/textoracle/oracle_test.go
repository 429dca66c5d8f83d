package textoracle

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

const annotation = "flyte.secrets/s0"

// ours decodes text with package secret.
func ours(text string) (secret.Request, error) {
	reqs, err := secret.DecodeAnnotations(map[string]string{annotation: encoding.EncodeToString([]byte(text))})
	if err != nil {
		return secret.Request{}, err
	}
	return reqs[0], nil
}

// An oracle decodes with prototext into a message like flyteidl's core.Secret.
type oracle struct {
	message protoreflect.MessageDescriptor
}

// flyteSecret describes core.Secret as flyteidl does
// (flyteidl/core/security.proto).
func flyteSecret() *descriptorpb.FileDescriptorProto {
	field := func(name string, number int32, typ descriptorpb.FieldDescriptorProto_Type) *descriptorpb.FieldDescriptorProto {
		return &descriptorpb.FieldDescriptorProto{
			Name:   proto.String(name),
			Number: proto.Int32(number),
			Type:   typ.Enum(),
			Label:  descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		}
	}
	text := descriptorpb.FieldDescriptorProto_TYPE_STRING
	requirement := field("mount_requirement", 4, descriptorpb.FieldDescriptorProto_TYPE_ENUM)
	requirement.TypeName = proto.String(".flyteidl.core.Secret.MountType")
	return &descriptorpb.FileDescriptorProto{
		Name:    proto.String("security.proto"),
		Package: proto.String("flyteidl.core"),
		Syntax:  proto.String("proto3"),
		Options: &descriptorpb.FileOptions{GoPackage: proto.String("example.com/flyteidl/core;textoracle")},
		MessageType: []*descriptorpb.DescriptorProto{{
			Name: proto.String("Secret"),
			Field: []*descriptorpb.FieldDescriptorProto{
				field("group", 1, text),
				field("group_version", 2, text),
				field("key", 3, text),
				requirement,
				field("env_var", 5, text),
			},
			EnumType: []*descriptorpb.EnumDescriptorProto{{
				Name: proto.String("MountType"),
				Value: []*descriptorpb.EnumValueDescriptorProto{
					{Name: proto.String("ANY"), Number: proto.Int32(0)},
					{Name: proto.String("ENV_VAR"), Number: proto.Int32(1)},
					{Name: proto.String("FILE"), Number: proto.Int32(2)},
				},
			}},
		}},
	}
}

func newOracle(tb testing.TB) oracle {
	tb.Helper()
	file, err := protodesc.NewFile(flyteSecret(), nil)
	require.NoError(tb, err)
	return oracle{file.Messages().ByName("Secret")}
}

// decode decodes text with prototext. undefined reports the one documented difference:
// prototext accepts a number that the enum does not define.
func (o oracle) decode(text string) (req secret.Request, undefined bool, err error) {
	m := dynamicpb.NewMessage(o.message)
	// An empty registry, because the global one depends on the packages linked in.
	options := prototext.UnmarshalOptions{DiscardUnknown: true, Resolver: new(protoregistry.Types)}
	if err := options.Unmarshal([]byte(text), m); err != nil {
		return secret.Request{}, false, err
	}
	get := func(name protoreflect.Name) protoreflect.Value { return m.Get(o.message.Fields().ByName(name)) }
	req = secret.Request{
		Group:        get("group").String(),
		GroupVersion: get("group_version").String(),
		Key:          get("key").String(),
		EnvVar:       get("env_var").String(),
	}
	number := get("mount_requirement").Enum()
	value := o.message.Enums().ByName("MountType").Values().ByNumber(number)
	if value == nil {
		return req, true, nil
	}
	req.Mount, err = mount.ParseType(string(value.Name()))
	return req, false, err
}

// strict decodes text with prototext, which stops at the first unknown field.
func (o oracle) strict(text string) error {
	options := prototext.UnmarshalOptions{Resolver: new(protoregistry.Types)}
	return options.Unmarshal([]byte(text), dynamicpb.NewMessage(o.message))
}

// compare fails if the two decoders disagree about text. Ours may accept more only
// if the text has an unknown field.
func (o oracle) compare(t *testing.T, text string) (valid bool) {
	t.Helper()
	got, gotErr := ours(text)
	want, undefined, wantErr := o.decode(text)
	switch {
	case undefined:
		require.ErrorContains(t, gotErr, "mount_requirement is not one of", "an undefined enum number in %q", text)
	case wantErr != nil && gotErr == nil:
		err := o.strict(text)
		require.Error(t, err)
		require.Regexp(t, `unknown field|invalid type URL/extension field name`, err, "prototext refuses %q: %v", text, wantErr)
	case wantErr != nil:
	default:
		require.NoError(t, gotErr, "prototext accepts %q", text)
		require.Equal(t, want, got, "result for %q", text)
	}
	return gotErr == nil
}
