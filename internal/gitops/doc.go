// Package gitops tests the command line as a KRM function, in kustomize and in kyaml's
// function runner. It is a separate module because the library does not depend on these.
package gitops
