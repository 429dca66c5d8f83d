// Package gitops runs the command line as others do: kustomize as an exec function,
// and kyaml's runner of KRM functions. All is in tests, as these programs need more
// than the library may.
package gitops
