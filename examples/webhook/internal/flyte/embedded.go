package flyte

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Stores are the values of embeddedSecretManagerConfig.type.
var Stores = []string{AWS, GCP, Azure, K8s}

// storeOf returns Flyte's spelling of a store, ignoring case. Empty means AWS, as in
// Flyte.
func storeOf(text string) (string, bool) {
	if text == "" {
		return AWS, true
	}
	i := slices.IndexFunc(Stores, func(s string) bool { return strings.EqualFold(s, text) })
	if i < 0 {
		return "", false
	}
	return Stores[i], true
}

// EmbeddedManager serves the secrets of Flyte 2's embedded manager. A request's key
// and three labels of the Pod identify the secret; group and version are ignored.
//
// Flyte's webhook reads the value and writes it into the Pod. Here the Pod refers to
// a Kubernetes Secret in its namespace, or a fetcher reads the store with the Pod's
// permissions.
//
// A secret has the names that Flyte 1's client looks for, and those that Flyte 2's
// users read: the requested variable, and a file named by the key, case kept,
// directly in the layout's directory.
type EmbeddedManager struct {
	// Store is one of Stores.
	Store string
	// Inner is the store's manager: that of package k8ssecret, or one with Fetch.
	Inner injector.SecretManager
	// Scope selects whose secrets are served.
	Scope Scope
	// Keys are the served keys. Empty serves every key.
	Keys []string
}

// Name returns "embedded".
func (m *EmbeddedManager) Name() string { return "embedded" }

// Mount returns the Fragment of the store's manager. A request without a key, or a
// Pod without the labels, is secret.ErrUnsupported.
func (m *EmbeddedManager) Mount(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	if len(m.Keys) > 0 && !slices.Contains(m.Keys, req.Key) {
		return mount.Fragment{}, fmt.Errorf("%w: the configuration does not list the key", secret.ErrUnsupported)
	}
	if req.Key == "" {
		return mount.Fragment{}, fmt.Errorf("%w: embedded secrets need a key", secret.ErrUnsupported)
	}
	if m.Store == Azure && req.Field != "" {
		return mount.Fragment{}, fmt.Errorf("%w: embedded secrets of Azure have no fields", secret.ErrUnsupported)
	}
	n, err := m.Scope.name(req.Key, target)
	if err != nil {
		return mount.Fragment{}, err
	}
	form := req.Form(target.Layout())
	if form == mount.File {
		return m.file(ctx, req, n, target)
	}
	f, err := m.variable(ctx, req, n, target)
	if form == mount.Any && errors.Is(err, secret.ErrUnsupported) {
		return m.file(ctx, req, n, target)
	}
	return f, err
}

// ask requests the secret from the store's manager by its name in the store. In
// Azure the value is the field "value" of a JSON object.
func (m *EmbeddedManager) ask(ctx context.Context, req secret.Request, n name, target mount.Target) (mount.Fragment, error) {
	req.GroupVersion, req.Container = "", ""
	switch m.Store {
	case K8s:
		req.Group, req.Key = HashedName(n.id()), n.id()
	case Azure:
		req.Group, req.Key, req.Field = n.azure(), "", "value"
	default:
		req.Group, req.Key = n.id(), ""
	}
	f, err := m.Inner.Mount(ctx, req, target)
	f.Reads.Name = cmp.Or(f.Reads.Name, req.Group)
	if m.Store == Azure {
		f.Honors.Field = false
	}
	return f, err
}

func (m *EmbeddedManager) variable(ctx context.Context, req secret.Request, n name, target mount.Target) (mount.Fragment, error) {
	derived := req.EnvName(target.Layout(), "")
	valid := validation.IsRelaxedEnvVarName
	if m.Store == K8s {
		valid = validation.IsEnvVarName
	}
	if len(valid(derived)) > 0 {
		return mount.Fragment{}, fmt.Errorf("%w: group and key do not form a valid variable name", secret.ErrUnsupported)
	}
	inner := req
	inner.Mount = mount.EnvVar
	if len(derived) > len(inner.EnvVar) {
		inner.EnvVar = derived // stores may limit the length of names
	}
	return m.ask(ctx, inner, n, target)
}

// file serves the secret as the requested file, and as the file that Flyte 2
// writes.
func (m *EmbeddedManager) file(ctx context.Context, req secret.Request, n name, target mount.Target) (mount.Fragment, error) {
	layout := target.Layout()
	inner := req
	inner.Mount, inner.EnvVar, inner.Path = mount.File, "", req.RelPath(layout, "")
	f, err := m.ask(ctx, inner, n, target)
	exact := path.Clean("/" + req.Key)[1:]
	if err != nil || req.Path != "" || exact == "" || exact == inner.Path {
		return f, err
	}
	inner.Path = exact
	second, err := m.ask(ctx, inner, n, target)
	if err != nil {
		return mount.Fragment{}, err
	}
	return join(f, second), nil
}
