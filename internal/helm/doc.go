// Package helm holds the webhook's chart against its kustomization, and runs the
// command line as Helm's post-renderer. All is in tests, as Helm needs more than the
// library may.
package helm
