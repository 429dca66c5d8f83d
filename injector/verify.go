package injector

import (
	"context"
	"errors"
	"net/http"

	admissionv1 "k8s.io/api/admission/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// Verify answers an admission request for a validating webhook. It looks at the
// same Pods as Review, and refuses one that lacks something of what it asks for:
// each container that Config.Containers chooses must have its variables and mounts,
// and the Pod the volumes, annotations and fetchers. It finds Pods that passed
// without Review, because a label was missing or the webhook was away, and Pods
// from which another webhook has removed something.
//
// Where another webhook brings a secret (mount.Fragment.Webhook), that webhook must
// have run. An init container that reads fetched files must not stand before the
// fetcher, where Config.InitOrder does not put it. What a Pod may read (Config.Allow)
// is checked as in Review.
//
// Nothing is asked of the containers of Config.Late and of those other webhooks. A
// refusal for something that is missing or in conflict lists those that the Pod has,
// within the limits of a message.
//
// A refusal has the status codes of Review, and 422 for a Pod that is not complete.
func (in *Injector) Verify(ctx context.Context, req *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
	sub, reqs, response := open(req)
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
