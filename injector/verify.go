package injector

import (
	"context"
	"errors"
	"net/http"

	admissionv1 "k8s.io/api/admission/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// Verify answers an admission request for a validating webhook. It checks the
// same Pods as Review, and refuses a Pod that lacks something for its secrets:
// each container that Config.Containers selects must have its variables and
// mounts, and the Pod must have the volumes, annotations and fetchers. Verify
// detects Pods that bypassed Review, because a label was missing or the webhook
// was down. It also detects Pods from which another webhook removed something.
//
// Where another webhook provides a secret (mount.Fragment.Webhook), that
// webhook must have run. An init container that reads fetched files must not
// come before the fetcher, unless Config.InitOrder allows it. Config.Allow
// applies as in Review.
//
// Verify does not check containers that Config.Late reports, or containers of
// those other webhooks. If it refuses a Pod because something is missing or in
// conflict, the message lists these containers, within the limits of a message.
//
// A refusal has the status codes of Review; for an incomplete Pod it is 422.
func (in *Injector) Verify(ctx context.Context, req *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
	sub, reqs, response := decodeReview(req)
	if response != nil {
		return response
	}
	sub.verify = true
	d, err := in.decide(ctx, sub, reqs)
	if err != nil {
		response = refuse(ctx, req, err)
		var missing *mount.MissingError
		if response.Result.Code == http.StatusUnprocessableEntity && errors.As(err, &missing) {
			response.AuditAnnotations[AuditOutcome] = OutcomeIncomplete
		}
		return response
	}
	response = allow(req, OutcomeVerified)
	response.AuditAnnotations[AuditManagers] = in.countByManager(d)
	return response
}
