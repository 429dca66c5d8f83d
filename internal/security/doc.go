// Package security holds SECURITY.md and the GitHub workflows to what they say.
// It has tests only.
package security
