package main

import (
	"context"
	"errors"

	admissionv1 "k8s.io/api/admission/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// mutate and verify answer with the Injector that is in effect.
func (c *current) mutate(ctx context.Context, req *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
	return c.injector.Load().Review(ctx, req)
}

func (c *current) verify(ctx context.Context, req *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
	return c.injector.Load().Verify(ctx, req)
}

// debugLevel is slog.LevelDebug as logr counts.
const debugLevel = 4

// logged is a manager that logs its failures, of which a response tells only
// that they happened.
func logged(m injector.SecretManager) injector.SecretManager { return loggedManager{m} }

type loggedManager struct{ injector.SecretManager }

func (m loggedManager) Mount(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	fragment, err := m.SecretManager.Mount(ctx, req, target)
	if failed(err) {
		log.FromContext(ctx).Error(err, "a secret manager failed", "manager", m.Name(), "request", req.String())
	}
	return fragment, err
}

// failed reports whether an error is a manager's failure: neither "ask the next
// manager" nor an error that is shown to the Pod's author.
func failed(err error) bool {
	var conflict *mount.ConflictError
	var invalid *secret.InvalidError
	return err != nil && !errors.Is(err, secret.ErrNotFound) && !errors.Is(err, secret.ErrUnsupported) &&
		!errors.As(err, &conflict) && !errors.As(err, &invalid)
}
