package flyte

import (
	"context"
	"fmt"
	"strings"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// HashedKeys is a k8ssecret.Config.Names: that of Flyte 2's manager of Kubernetes
// Secrets, which takes a request without a group for the Secret that is called by
// the MD5 sum of the key.
func HashedKeys(req secret.Request, _ mount.Target) (k8ssecret.Ref, error) {
	if req.Group == "" {
		return k8ssecret.Ref{Name: HashedName(req.Key), Key: req.Key}, nil
	}
	return k8ssecret.Ref{Name: strings.ToLower(req.Group), Key: req.Key}, nil
}

// Versioned is a manager that leaves requests without a version to the next one,
// as Flyte's manager of Google's secrets does.
type Versioned struct{ injector.SecretManager }

// Mount answers as the manager does.
func (v Versioned) Mount(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	if req.GroupVersion == "" {
		return mount.Fragment{}, fmt.Errorf("%w: there is no version", secret.ErrUnsupported)
	}
	return v.SecretManager.Mount(ctx, req, target)
}
