// Package podsecurity checks with the evaluator of Kubernetes' own Pod Security
// admission that Pods which pass "restricted" still do when secrets are
// injected. It has tests only, and is a module of its own because of what that
// evaluator depends on.
package podsecurity
