package global_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

const kitCanary = `kit-c4nary $(HOME) $$ "'`

func TestConformance(t *testing.T) {
	dir := t.TempDir()
	write := func(name, value string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(value), 0o600))
	}
	write("files/token", kitCanary)
	write("files/sub/token", kitCanary)
	write("files/binary", kitCanary+"\xff")
	write("files/long", strings.Repeat(kitCanary, 10000))
	t.Setenv("KIT_VARIABLES_TOKEN", kitCanary)
	m, err := global.New(global.Config{EnvPrefix: "KIT_", Dir: dir, Allow: func(_ secret.Request, target mount.Target) bool {
		return target.Namespace() != "strangers"
	}})
	require.NoError(t, err)

	inNamespace := func(name string) *metav1.ObjectMeta { return &metav1.ObjectMeta{Namespace: name} }
	token := secret.Request{Group: "files", Key: "token"}
	injectortest.Run(t, m,
		injectortest.Case{Name: "file", Request: token, Want: injectortest.Variable, Value: mount.Literal(kitCanary)},
		injectortest.Case{Name: "as a file", Request: secret.Request{Group: "files", Key: "token", Mount: mount.File}, Want: injectortest.Fails, Value: mount.Literal(kitCanary)},
		injectortest.Case{Name: "version", Request: secret.Request{Group: "files", Key: "token", GroupVersion: "v1", EnvVar: "TOKEN"}, Value: mount.Literal(kitCanary)},
		injectortest.Case{Name: "variable", Request: secret.Request{Group: "variables", Key: "token", Mount: mount.EnvVar}, Value: mount.Literal(kitCanary)},
		injectortest.Case{Name: "allowed", Request: token, Meta: inNamespace("builds"), Value: mount.Literal(kitCanary)},
		injectortest.Case{Name: "not allowed", Request: token, Meta: inNamespace("strangers"), Want: injectortest.NotFound, Value: mount.Literal(kitCanary)},
		injectortest.Case{Name: "not found", Request: secret.Request{Group: "files", Key: "none"}, Want: injectortest.NotFound},
		injectortest.Case{Name: "invalid name", Request: secret.Request{Group: "a/b", Key: "k"}, Want: injectortest.Unsupported},
		injectortest.Case{Name: "exact variable", Request: secret.Request{Group: "files", Key: "sub/token", EnvVar: "TOKEN"}, Want: injectortest.Variable, Value: mount.Literal(kitCanary)},
		injectortest.Case{Name: "not text", Request: secret.Request{Group: "files", Key: "binary"}, Want: injectortest.Fails, Value: mount.Literal(kitCanary)},
		injectortest.Case{Name: "too long", Request: secret.Request{Group: "files", Key: "long"}, Want: injectortest.Fails, Value: mount.Literal(kitCanary)},
	)
}

// store is a Source that honors the context and has one secret.
type store struct{}

func (store) Lookup(ctx context.Context, req secret.Request) (string, error) {
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case req.Key == "token":
		return kitCanary, nil
	}
	return "", errors.New("the store is down")
}

func TestConformance_Source(t *testing.T) {
	m, err := global.New(global.Config{Source: store{}})
	require.NoError(t, err)
	injectortest.Run(t, m,
		injectortest.Case{Request: secret.Request{Group: "g", Key: "token"}, Value: mount.Literal(kitCanary)},
		injectortest.Case{Request: secret.Request{Group: "g", Key: "other"}, Want: injectortest.Fails},
	)
}
