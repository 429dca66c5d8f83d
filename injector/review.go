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

// The audit annotations of a response, and the outcomes. The API server puts
// the webhook's name in front of each key.
const (
	AuditOutcome  = "outcome"
	AuditManagers = "managers" // "k8s=2,vault=1": requests by the manager that serves them

	OutcomeSkipped   = "skipped"   // not the creation of a Pod that asks for secrets
	OutcomeInjected  = "injected"  // the response has a patch
	OutcomeUnchanged = "unchanged" // the Pod has all that it asks for already
	OutcomeDenied    = "denied"    // the Pod's author can mend it
	OutcomeFailed    = "failed"    // a manager failed, or the time was up

	OutcomeVerified   = "verified"   // Verify: the Pod has all that it asks for
	OutcomeIncomplete = "incomplete" // Verify: the Pod lacks something that it asks for
)

// Review answers an admission request for a mutating webhook. Of a Pod that is
// created and asks for secrets in its annotations (see package secret) the
// response has the patch that Patch returns; it is written from the bytes of
// the Pod, so that fields which this build's k8s.io/api does not know stay.
// Everything else is allowed as it is: other operations, other resources and
// subresources, mirror Pods (the kubelet's images of static Pods, which cannot
// be changed) that a node creates, and Pods without requests. The label secret.InjectLabel is for
// the webhook's objectSelector and not looked at. A request that a test makes
// up needs Operation and Resource, or it is allowed as one of the others.
//
// Managers see the request's namespace as the Pod's, which often names none
// itself.
//
// A refusal has the status code 400 if the Pod or an annotation cannot be
// decoded, 413 if the Pod is larger than the package's limits, 422 if requests
// are invalid, not served, in conflict or too many, 500 if a manager failed, and
// 504 if the context ended. Its message names requests and fields, of the first
// twenty errors if there are more; of a manager's error it tells only the
// category (not found, not supported, failed), because Pods' authors read it. To
// log a manager's error, wrap the manager in one that does.
//
// Review itself never panics, whatever the bytes, and never returns nil. Of a
// Pod that no API server would send, such as one with null for a container, the
// response may have a patch that does not apply.
func (in *Injector) Review(ctx context.Context, req *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
	sub, reqs, response := open(req)
	if response != nil {
		return response
	}
	d, err := in.decide(ctx, sub, reqs)
	if err != nil {
		return refuse(ctx, req, err)
	}
	return in.respond(req, d)
}

// open returns the Pod of an admission request and the requests in it, or else
// the response to a request that is to be allowed as it is, or refused.
func open(req *admissionv1.AdmissionRequest) (sub subject, reqs []secret.Request, response *admissionv1.AdmissionResponse) {
	if req == nil {
		return sub, nil, deny("", http.StatusBadRequest, "there is no admission request")
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
	if _, mirror := annotations[corev1.MirrorPodAnnotationKey]; mirror && slices.Contains(req.UserInfo.Groups, nodes) {
		return sub, nil, allow(req, OutcomeSkipped)
	}
	reqs, err = secret.DecodeAnnotations(annotations)
	if err != nil {
		return sub, nil, deny(req.UID, http.StatusBadRequest, message(split(err)))
	}
	if len(reqs) == 0 {
		return sub, nil, allow(req, OutcomeSkipped)
	}
	if err := checkLimit(merge.MaxAnnotations, merge.SizeOf(annotations), "bytes of annotations"); err != nil {
		return sub, nil, deny(req.UID, http.StatusRequestEntityTooLarge, "the pod has "+err.Error())
	}
	return subject{view: view, namespace: req.Namespace, admitted: req.Namespace}, reqs, nil
}

// nodes is the group of kubelets (user.NodesGroup of k8s.io/apiserver).
const nodes = "system:nodes"

func createsPod(req *admissionv1.AdmissionRequest) bool {
	return req.Operation == admissionv1.Create && req.SubResource == "" &&
		req.Resource.Group == "" && req.Resource.Resource == "pods"
}

func (in *Injector) respond(req *admissionv1.AdmissionRequest, d *decided) *admissionv1.AdmissionResponse {
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

// countByManager returns how many requests each manager serves, in the order of
// precedence: "global=1,k8s=2".
func (in *Injector) countByManager(d *decided) string {
	served := make([]int, len(in.managers))
	for _, at := range d.at {
		name := d.served[at].Manager
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

// refuse maps the most severe error to a status code and joins all public messages.
func refuse(ctx context.Context, req *admissionv1.AdmissionRequest, err error) *admissionv1.AdmissionResponse {
	code := int32(http.StatusUnprocessableEntity)
	errs := split(err)
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

// causesOf returns a cause for each error of which the message tells, as kubectl
// shows the causes instead of the message.
func causesOf(errs []error) (causes []metav1.StatusCause) {
	for i, err := range errs {
		if i == maxReported {
			more := fmt.Sprintf("and %d more errors", len(errs)-i)
			return append(causes, metav1.StatusCause{Type: metav1.CauseTypeFieldValueInvalid, Field: "metadata.annotations", Message: more})
		}
		causes = append(causes, metav1.StatusCause{
			Type: metav1.CauseTypeFieldValueInvalid, Field: fieldOf(err), Message: limited(publicText(err), maxCause),
		})
	}
	return causes
}

// fieldOf returns the field of the Pod that is in the way, or else where requests
// stand.
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

// split returns the errors that errors.Join joined.
func split(err error) []error {
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
