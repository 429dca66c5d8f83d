package secret_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/secret"
)

// FuzzDecodeAnnotations: decoding never panics, errors are typed and come
// without requests, and stamping the decoded requests decodes to the same
// requests.
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
	for _, tc := range readable {
		f.Add(readablePrefix+tc.name, tc.text, "")
		f.Add("Request.podsecrets.dev/a", tc.text, "")
	}
	f.Fuzz(func(t *testing.T, name, value, text string) {
		reqs, err := secret.DecodeAnnotations(map[string]string{name: value, prefix + "7": toBase32(text)})
		if err != nil {
			require.Nil(t, reqs)
			require.True(t, errors.As(err, new(*secret.AnnotationError)))
			return
		}
		require.NotEmpty(t, reqs)
		if labels, stamped, err := secret.Stamp(nil, nil, reqs); err != nil {
			require.False(t, utf8.ValidString(value), "%v", err)
		} else {
			require.Equal(t, "true", labels[secret.InjectLabel])
			again, err := secret.DecodeAnnotations(stamped)
			require.NoError(t, err)
			if !strings.Contains(value, "\r") { // CSV may lose it, and Validate refuses it
				require.Equal(t, reqs, again)
			}
		}
		for _, req := range reqs {
			// Neither may panic on a request that was not validated.
			_ = req.Validate()
			require.NotEmpty(t, req.String())
		}
	})
}
