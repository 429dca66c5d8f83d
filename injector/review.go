package injector

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// The keys of a response's audit annotations, and the values of AuditOutcome.
// The API server puts the webhook's name before each key.
const (
	AuditOutcome  = "outcome"
	AuditManagers = "managers" // "k8s=2,vault=1": number of requests served by each manager

	OutcomeSkipped   = "skipped"   // not the creation of a Pod with requests
	OutcomeInjected  = "injected"  // the response has a patch
	OutcomeUnchanged = "unchanged" // the Pod already has all secrets
	OutcomeDenied    = "denied"    // the Pod's author can fix it
	OutcomeFailed    = "failed"    // a manager failed, or the context ended

	OutcomeVerified   = "verified"   // Verify: the Pod has all secrets
	OutcomeIncomplete = "incomplete" // Verify: the Pod lacks something
)

// Review answers an admission request for a mutating webhook. If the admission
// request creates a Pod whose annotations request secrets (see package secret),
// the response has the patch that injects them. The patch is computed from the
// Pod's JSON, so fields that this build's k8s.io/api does not know are kept.
// Everything else is allowed unchanged: other operations, other resources and
// subresources, Pods without requests, and mirror Pods created by a node (the
// kubelet's copies of static Pods, which cannot be changed). Review ignores the
// label secret.InjectLabel, which is for the webhook's objectSelector. In
// tests, set the Operation and Resource of the admission request; otherwise the
// Pod is allowed unchanged.
//
// Managers see the namespace of the admission request, because the Pod itself
// often has none.
//
// A refusal has the status code 400 if the Pod or an annotation cannot be
// decoded; 413 if the Pod exceeds the package's limits; 422 if requests are
// invalid, not served, in conflict or too many, if no container receives a
// secret, or if the secrets would make the Pod too large; 500 if a manager
// failed; and 504 if the context ended. Its message names the requests and
// fields of the first twenty errors. It shows only the category of a manager's
// error (not found, not supported, failed), because Pod authors can read it. To
// log a manager's errors, wrap the manager in one that does.
//
// Review never returns nil, and does not itself panic, whatever the admission
// request contains. For a Pod that no API server would send, such as one with a
// null container, the patch may not apply.
func (in *Injector) Review(ctx context.Context, req *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
	sub, reqs, response := decodeReview(req)
	if response != nil {
		return response
	}
	d, err := in.decide(ctx, sub, reqs)
	if err != nil {
		return refuse(ctx, req, err)
	}
	return in.respond(req, d)
}

// decodeReview returns the Pod of an admission request and its requests for
// secrets, or else a response that allows the Pod unchanged or refuses it.
func decodeReview(req *admissionv1.AdmissionRequest) (sub subject, reqs []secret.Request, response *admissionv1.AdmissionResponse) {
	if req == nil {
		return sub, nil, deny("", http.StatusBadRequest, "admission request is missing")
	}
	if !createsPod(req) {
		return sub, nil, allow(req, OutcomeSkipped)
	}
	if err := checkLimit(maxPod, len(req.Object.Raw), "bytes of JSON"); err != nil {
		return sub, nil, deny(req.UID, http.StatusRequestEntityTooLarge, "the pod has "+err.Error())
	}
	view, err := merge.ViewRequests(req.Object.Raw)
	if err != nil {
		return sub, nil, deny(req.UID, http.StatusBadRequest, "the pod cannot be decoded: "+err.Error())
	}
	annotations := view.Metadata.Annotations
	if _, mirror := annotations[corev1.MirrorPodAnnotationKey]; mirror && slices.Contains(req.UserInfo.Groups, nodesGroup) {
		return sub, nil, allow(req, OutcomeSkipped)
	}
	reqs, err = secret.DecodeAnnotations(annotations)
	if err != nil {
		return sub, nil, deny(req.UID, http.StatusBadRequest, message(joinedErrors(err)))
	}
	if len(reqs) == 0 {
		return sub, nil, allow(req, OutcomeSkipped)
	}
	if err := checkLimit(merge.MaxAnnotations, merge.SizeOf(annotations), "bytes of annotations"); err != nil {
		return sub, nil, deny(req.UID, http.StatusRequestEntityTooLarge, "the pod has "+err.Error())
	}
	return subject{view: view, namespace: req.Namespace, admitted: req.Namespace}, reqs, nil
}

// nodesGroup is the group of kubelets (user.NodesGroup in k8s.io/apiserver).
const nodesGroup = "system:nodes"

func createsPod(req *admissionv1.AdmissionRequest) bool {
	return req.Operation == admissionv1.Create && req.SubResource == "" &&
		req.Resource.Group == "" && req.Resource.Resource == "pods"
}

func (in *Injector) respond(req *admissionv1.AdmissionRequest, d *decision) *admissionv1.AdmissionResponse {
	response := allow(req, OutcomeUnchanged)
	response.AuditAnnotations[AuditManagers] = in.countByManager(d)
	if d.edits.Empty() {
		return response
	}
	patch, err := d.edits.JSON()
	if err != nil {
		return deny(req.UID, http.StatusInternalServerError, "the patch cannot be written")
	}
	jsonPatch := admissionv1.PatchTypeJSONPatch
	response.Patch, response.PatchType = patch, &jsonPatch
	response.AuditAnnotations[AuditOutcome] = OutcomeInjected
	return response
}

// countByManager returns the number of requests that each manager serves, in
// the order of Config.Managers: "global=1,k8s=2".
func (in *Injector) countByManager(d *decision) string {
	served := make([]int, len(in.managers))
	for _, n := range d.index {
		name := d.served[n].Manager
		if i := slices.IndexFunc(in.managers, func(m SecretManager) bool { return m.Name() == name }); i >= 0 {
			served[i]++
		}
	}
	var counts []byte
	for i, n := range served {
		if n > 0 {
			if counts != nil {
				counts = append(counts, ',')
			}
			counts = append(append(counts, in.managers[i].Name()...), '=')
			counts = strconv.AppendInt(counts, int64(n), 10)
		}
	}
	return string(counts)
}

// refuse maps the most severe error to a status code and joins all public
// messages.
func refuse(ctx context.Context, req *admissionv1.AdmissionRequest, err error) *admissionv1.AdmissionResponse {
	code := int32(http.StatusUnprocessableEntity)
	errs := joinedErrors(err)
	for _, e := range errs {
		var failed *RequestError
		if errors.As(e, &failed) && !failed.AuthorCanFix() {
			code = http.StatusInternalServerError
		}
	}
	if ctx.Err() != nil {
		code = http.StatusGatewayTimeout
	}
	response := deny(req.UID, code, message(errs))
	if code == http.StatusUnprocessableEntity {
		response.Result.Details = &metav1.StatusDetails{Kind: "Pod", Name: req.Name, Causes: causesOf(errs)}
	}
	return response
}

// causesOf returns a cause for each error in the message. kubectl shows the
// causes instead of the message.
func causesOf(errs []error) (causes []metav1.StatusCause) {
	for i, err := range errs {
		if i == maxReported {
			more := fmt.Sprintf("and %d more errors", len(errs)-i)
			return append(causes, metav1.StatusCause{Type: metav1.CauseTypeFieldValueInvalid, Field: "metadata.annotations", Message: more})
		}
		causes = append(causes, metav1.StatusCause{
			Type: metav1.CauseTypeFieldValueInvalid, Field: fieldOf(err), Message: truncate(publicText(err), maxCause),
		})
	}
	return causes
}

// fieldOf returns the field of the Pod that conflicts, or else the field with
// the requests.
func fieldOf(err error) string {
	var conflict *mount.ConflictError
	var missing *mount.MissingError
	switch {
	case errors.As(err, &conflict) && conflict.Path != "":
		return conflict.Path
	case errors.As(err, &missing) && missing.Path != "":
		return missing.Path
	case errors.Is(err, mount.ErrNoContainer):
		return "spec.containers"
	}
	return "metadata.annotations"
}

// joinedErrors returns the errors of an errors.Join.
func joinedErrors(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

func allow(req *admissionv1.AdmissionRequest, outcome string) *admissionv1.AdmissionResponse {
	return &admissionv1.AdmissionResponse{
		UID:              req.UID,
		Allowed:          true,
		AuditAnnotations: map[string]string{AuditOutcome: outcome},
	}
}

func deny(uid types.UID, code int32, message string) *admissionv1.AdmissionResponse {
	outcome := OutcomeDenied
	if code >= http.StatusInternalServerError {
		outcome = OutcomeFailed
	}
	return &admissionv1.AdmissionResponse{
		UID:              uid,
		Result:           &metav1.Status{Status: metav1.StatusFailure, Code: code, Reason: reason(code), Message: message},
		AuditAnnotations: map[string]string{AuditOutcome: outcome},
	}
}

func reason(code int32) metav1.StatusReason {
	switch code {
	case http.StatusBadRequest:
		return metav1.StatusReasonBadRequest
	case http.StatusRequestEntityTooLarge:
		return metav1.StatusReasonRequestEntityTooLarge
	case http.StatusUnprocessableEntity:
		return metav1.StatusReasonInvalid
	case http.StatusGatewayTimeout:
		return metav1.StatusReasonTimeout
	}
	return metav1.StatusReasonInternalError
}
