package injector_test

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// readmeCode is the README's code. It also stores the injected Pod.
func readmeCode(ctx context.Context, pod *corev1.Pod, injected **corev1.Pod) error {
	secrets, err := k8ssecret.New(k8ssecret.Config{})
	if err != nil {
		return err
	}
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{secrets}})
	if err != nil {
		return err
	}
	pod, err = in.Inject(ctx, pod,
		secret.Request{Group: "db", Key: "password", EnvVar: "DB_PASSWORD"},
		secret.Request{Group: "db", Key: "cert", Mount: mount.File, Path: "db/cert.pem"},
	)
	*injected = pod
	return err
}

// readmeRequests are the requests in readmeCode.
var readmeRequests = []secret.Request{
	{Group: "db", Key: "password", EnvVar: "DB_PASSWORD"},
	{Group: "db", Key: "cert", Mount: mount.File, Path: "db/cert.pem"},
}

var readmePod = &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}}

// readmeBlock returns the README's first code block in a language.
func readmeBlock(t *testing.T, language string) string {
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "```"+language+"\n")
	require.True(t, found)
	block, _, found := strings.Cut(rest, "```")
	require.True(t, found)
	return block
}

// The README's code compiles and runs: it is readmeCode, indented once less.
func TestREADME_Code(t *testing.T) {
	source, err := os.ReadFile("readme_test.go")
	require.NoError(t, err)
	code := "\t" + strings.ReplaceAll(strings.TrimSpace(readmeBlock(t, "go")), "\n", "\n\t")
	require.Contains(t, string(source), code)
	var injected *corev1.Pod
	require.NoError(t, readmeCode(ctx, readmePod, &injected))
	want, err := newInjector(t, nil).Inject(ctx, readmePod, readmeRequests...)
	require.NoError(t, err)
	require.Equal(t, want, injected, "readmeRequests differ from the README's")
}

// The README shows parts of the real patch: each operation it shows exists, and each
// value it shows is in that operation. "..." stands for the rest of a text.
func TestREADME_Patch(t *testing.T) {
	secrets, err := k8ssecret.New(k8ssecret.Config{})
	require.NoError(t, err)
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{secrets}})
	require.NoError(t, err)
	operations, err := in.Patch(ctx, readmePod, readmeRequests...)
	require.NoError(t, err)
	text, err := json.Marshal(operations)
	require.NoError(t, err)
	var shown, patch []any
	require.NoError(t, json.Unmarshal([]byte(readmeBlock(t, "json")), &shown))
	require.NoError(t, json.Unmarshal(text, &patch))
	require.NotEmpty(t, shown)
	for _, operation := range shown {
		require.True(t, includesElement(patch, operation), "%v is not in %s", operation, text)
	}
}

// includes reports whether part is in whole: an object with more fields, or a list
// with more elements, includes it.
func includes(whole, part any) bool {
	switch part := part.(type) {
	case map[string]any:
		object, ok := whole.(map[string]any)
		for name, value := range part {
			if !ok || !includes(object[name], value) {
				return false
			}
		}
		return true
	case []any:
		for _, element := range part {
			if list, ok := whole.([]any); !ok || !includesElement(list, element) {
				return false
			}
		}
		return true
	case string:
		text, ok := whole.(string)
		start, shortened := strings.CutSuffix(part, "...")
		return ok && (text == part || shortened && strings.HasPrefix(text, start))
	}
	return whole == part
}

func includesElement(list []any, part any) bool {
	for _, element := range list {
		if includes(element, part) {
			return true
		}
	}
	return false
}
