// Package manifest finds Pods in manifests: an object's kind, where it describes Pods, and
// what looks like a Pod in an unknown kind.
//
// Most kinds have Pod templates. Argo's Workflows, Tekton's tasks and Spark's applications
// have the parts of a Pod in other places. A Shape describes these places. A Pod assembles
// the parts for the library, and translates the library's patch back.
package manifest
