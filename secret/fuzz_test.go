package secret_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/secret"
)

// FuzzDecodeAnnotations: whatever the annotations are, decoding does not panic,
// an error is typed and comes alone, and what is decoded can be encoded and is
// then decoded to the same.
func FuzzDecodeAnnotations(f *testing.F) {
	for _, pair := range recorded(f) {
		for name, value := range pair.Annotations {
			f.Add(name, value, "")
		}
	}
	for _, tc := range validTexts {
		f.Add(prefix+"10", "", tc.text)
	}
	for _, name := range []string{prefix, prefix + "00", prefix + "-1", prefix + "1x", prefix + "99999999999999999999", "flyte.secrets/x"} {
		f.Add(name, "nnsxsoraejwxsx2lmv3secq", `a { b: [1, <>] }`)
	}
	f.Fuzz(func(t *testing.T, name, value, text string) {
		reqs, err := secret.DecodeAnnotations(map[string]string{name: value, prefix + "7": toBase32(text)})
		if err != nil {
			require.Nil(t, reqs)
			require.True(t, errors.As(err, new(*secret.AnnotationError)))
			return
		}
		require.NotEmpty(t, reqs)
		encoded, err := secret.EncodeAnnotations(reqs)
		require.NoError(t, err)
		again, err := secret.DecodeAnnotations(encoded)
		require.NoError(t, err)
		require.Equal(t, reqs, again)
		for _, req := range reqs {
			// Neither may panic on a request that nobody has checked.
			_ = req.Validate()
			require.NotEmpty(t, req.String())
		}
	})
}
