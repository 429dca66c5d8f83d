package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/go-logr/logr"
	admissionv1 "k8s.io/api/admission/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"
	kjson "sigs.k8s.io/json"

	"github.com/podsecrets/podsecrets/injector"
)

// maxBody is the largest accepted body in bytes. API servers limit an object to
// 3 MiB, and a review has at most two: controller-runtime's limit has the same reason.
const maxBody = 7 << 20

// A reviewer answers an admission request, as Injector.Review and Injector.Verify do.
type reviewer func(context.Context, *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse

// handle serves admission reviews of version v1. It counts and logs each response.
//
// It replaces controller-runtime's admission.Webhook, which reads a body several
// times to support other versions and types.
func handle(answer reviewer, count func(map[string]string, time.Duration)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		review, err := readReview(w, r)
		if err != nil {
			log.FromContext(r.Context()).Info("bad request", "reason", err.Error())
			http.Error(w, err.Error(), statusOf(err))
			return
		}
		req := review.Request
		logger := log.FromContext(r.Context()).WithValues("requestID", req.UID,
			"namespace", req.Namespace, "name", req.Name, "user", req.UserInfo.Username)
		defer func() {
			if p := recover(); p != nil {
				logger.Error(fmt.Errorf("panic: %v", p), "the review failed", "stack", string(debug.Stack()))
				http.Error(w, "the review failed", http.StatusInternalServerError)
			}
		}()
		start := time.Now()
		review.Request, review.Response = nil, answer(log.IntoContext(r.Context(), logger), req)
		count(review.Response.AuditAnnotations, time.Since(start))
		logReview(logger, review.Response)
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(review); err != nil {
			logger.Info("the response was not sent", "reason", err.Error())
		}
	})
}

var (
	errContentType = errors.New(`the content type must be "application/json"`)
	errNotAReview  = errors.New(`the body must be an AdmissionReview of admission.k8s.io/v1 with a request`)
)

// readReview decodes the body. Field names are case-sensitive, as in all of
// Kubernetes.
func readReview(w http.ResponseWriter, r *http.Request) (*admissionv1.AdmissionReview, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, errContentType
	}
	body, err := readBody(http.MaxBytesReader(w, r.Body, maxBody), r.ContentLength)
	if err != nil {
		return nil, err
	}
	review := new(admissionv1.AdmissionReview)
	if err := kjson.UnmarshalCaseSensitivePreserveInts(body, review); err != nil {
		return nil, fmt.Errorf("%w: %w", errNotAReview, err)
	}
	if review.Kind != "AdmissionReview" || review.APIVersion != admissionv1.SchemeGroupVersion.String() ||
		review.Request == nil || review.Request.UID == "" {
		return nil, errNotAReview
	}
	return review, nil
}

// readBody reads the whole body. A negative size is unknown.
func readBody(body io.Reader, size int64) ([]byte, error) {
	switch {
	case size > maxBody:
		return nil, &http.MaxBytesError{Limit: maxBody}
	case size < 0:
		return io.ReadAll(body)
	}
	text := make([]byte, size)
	_, err := io.ReadFull(body, text)
	return text, err
}

func statusOf(err error) int {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, errContentType):
		return http.StatusUnsupportedMediaType
	}
	return http.StatusBadRequest
}

func logReview(logger logr.Logger, response *admissionv1.AdmissionResponse) {
	logger = logger.WithValues("outcome", response.AuditAnnotations[injector.AuditOutcome])
	if response.Allowed {
		logger.V(debugLevel).Info("reviewed", "managers", response.AuditAnnotations[injector.AuditManagers])
	} else {
		logger.Info("refused", "code", response.Result.Code, "message", response.Result.Message)
	}
}
