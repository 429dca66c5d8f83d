// Package merge combines the fragments that managers return into one change to a
// Pod, and the change into the edits that one Pod needs.
//
//	secrets ──► Change ──┐
//	                     ├──► Edits ──► a Pod, operations, or a JSON patch
//	Pod or bytes ► View ─┘
//
// Only this package decides on names, order, idempotence and conflicts. It decides on a
// View, which is made from a typed Pod or from a Pod's JSON. Every decision is an edit:
// insert these elements into this list at this index. The three output forms therefore
// cannot differ.
//
// Each file covers one part of a Pod: what secrets need of it, when two secrets conflict,
// when a secret conflicts with the Pod, and which edit is missing. A scope is everything
// that one set of receivers gets. There is one scope for all receivers, and one for each
// container that a request names.
//
// The package is internal because only the injector may call it. Others see only
// mount.Fragment, its input, and mount.ConflictError.
package merge
