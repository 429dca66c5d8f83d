// Package podsecurity tests, with the evaluator of Kubernetes' Pod Security
// admission, that Pods that pass "restricted" still pass after injection. It is a
// separate module because of the evaluator's dependencies.
package podsecurity
