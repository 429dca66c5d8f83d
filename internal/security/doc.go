// Package security checks SECURITY.md's promises and the GitHub workflows. It has only
// tests.
package security
