package textoracle

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/cmd/protoc-gen-go/internal_gengo"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

var update = flag.Bool("update", false, "write the code that protoc-gen-go generates for core.Secret")

// protoc-gen-go generates the type Secret from core.Secret.
func TestGenerated(t *testing.T) {
	const file = "security_pb_test.go"
	plugin, err := protogen.Options{}.New(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{"security.proto"},
		ProtoFile:      []*descriptorpb.FileDescriptorProto{flyteSecret()},
	})
	require.NoError(t, err)
	internal_gengo.GenerateFile(plugin, plugin.Files[0])
	response := plugin.Response()
	require.Empty(t, response.GetError())
	generated := response.File[0].GetContent()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(generated), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), generated, "run with -update")
}

// FromProto accepts a generated message, and agrees with Flyte's annotation for it.
func TestFromProto(t *testing.T) {
	for _, tc := range []struct {
		name    string
		message *Secret
		want    secret.Request
	}{
		{"full", &Secret{Group: "g", GroupVersion: "v", Key: "k", MountRequirement: Secret_FILE, EnvVar: "X"},
			secret.Request{Group: "g", GroupVersion: "v", Key: "k", Mount: mount.File, EnvVar: "X"}},
		{"variable", &Secret{Key: "k", MountRequirement: Secret_ENV_VAR}, secret.Request{Key: "k", Mount: mount.EnvVar}},
		{"empty", &Secret{}, secret.Request{}},
		{"nil", nil, secret.Request{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := secret.FromProto(tc.message)
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
			text, err := prototext.Marshal(tc.message)
			require.NoError(t, err)
			decoded, err := ours(string(text))
			require.NoError(t, err)
			assert.Equal(t, decoded, got, "same as the annotation")
		})
	}
	undefined := &Secret{Key: "k"}
	require.NoError(t, proto.Unmarshal([]byte{4 << 3, 3}, undefined), "protobuf accepts it")
	require.EqualValues(t, 3, undefined.GetMountRequirement())
	_, err := secret.FromProto(undefined)
	assert.EqualError(t, err, "mount: is not one of ANY, ENV_VAR, FILE")
	assert.ErrorAs(t, err, new(*secret.InvalidError))
}
