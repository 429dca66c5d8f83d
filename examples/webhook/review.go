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

// mutate and verify review with the current Injector.
func (c *current) mutate(ctx context.Context, req *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
	return c.injector.Load().Review(ctx, req)
}

func (c *current) verify(ctx context.Context, req *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
	return c.injector.Load().Verify(ctx, req)
}

// debugLevel is logr's level for slog.LevelDebug.
const debugLevel = 4

// logged logs the failures of a manager: responses hide their causes.
func logged(m injector.SecretManager) injector.SecretManager { return loggedManager{m} }

type loggedManager struct{ injector.SecretManager }

func (m loggedManager) Mount(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	fragment, err := m.SecretManager.Mount(ctx, req, target)
	if failed(err) {
		log.FromContext(ctx).Error(err, "a secret manager failed", "manager", m.Name(), "request", req.String())
	}
	return fragment, err
}

// failed reports whether an error is a manager's failure, rather than a reason to
// try the next manager or an error that is shown to the Pod's author.
func failed(err error) bool {
	var conflict *mount.ConflictError
	var invalid *secret.InvalidError
	return err != nil && !errors.Is(err, secret.ErrNotFound) && !errors.Is(err, secret.ErrUnsupported) &&
		!errors.As(err, &conflict) && !errors.As(err, &invalid)
}
