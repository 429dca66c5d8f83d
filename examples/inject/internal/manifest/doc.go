// Package manifest finds Pods in manifests: of which kind an object is, where it
// describes Pods, and what in it looks like a Pod but is not known to be one.
//
// What the kinds have in common with a Pod differs. Most have Pod templates; Argo's
// Workflows, Tekton's tasks and Spark's applications have the parts of a Pod in
// places of their own. A Shape says where they are, and a Pod puts them together
// for the library, and the library's patch apart again.
package manifest
