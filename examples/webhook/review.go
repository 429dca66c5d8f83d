package main

import (
	"context"
	"errors"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// review is Injector.Review, or Verify, as an admission handler that counts and logs.
func review(answer func(context.Context, *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse, count func(map[string]string, time.Duration)) admission.Handler {
	return admission.HandlerFunc(func(ctx context.Context, req admission.Request) admission.Response {
		start := time.Now()
		response := answer(ctx, &req.AdmissionRequest)
		count(response.AuditAnnotations, time.Since(start))

		outcome := response.AuditAnnotations[injector.AuditOutcome]
		log := log.FromContext(ctx).WithValues("outcome", outcome)
		if response.Allowed {
			log.V(debug).Info("reviewed", "managers", response.AuditAnnotations[injector.AuditManagers])
		} else {
			log.Info("refused", "code", response.Result.Code, "message", response.Result.Message)
		}
		return admission.Response{AdmissionResponse: *response}
	})
}

// mutate and verify answer with the Injector that is in effect.
func (c *current) mutate(ctx context.Context, req *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
	return c.injector.Load().Review(ctx, req)
}

func (c *current) verify(ctx context.Context, req *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
	return c.injector.Load().Verify(ctx, req)
}

// debug is slog.LevelDebug as logr counts.
const debug = 4

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
