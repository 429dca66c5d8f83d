// Package merge combines the fragments that managers return into one change to a
// Pod, and the change into the edits that one Pod needs.
//
//	secrets ──► Change ──┐
//	                     ├──► Edits ──► a Pod, operations, or a JSON patch
//	Pod or bytes ► View ─┘
//
// Names, order, idempotence and conflicts are decided here and nowhere else.
// Everything is decided on a View, which is made from a typed Pod or from the
// JSON of one, and every decision is an edit: these elements, at this place, into
// this list. So the three forms in which edits leave the package cannot disagree.
//
// One file holds what belongs to one part of a Pod. It says what secrets need of
// that part, when two of them conflict, when they conflict with the Pod, and which
// edit is missing. What one set of receivers gets is a scope: there is one for all
// receivers, and one for each container that a request names.
//
// The package is internal because only the injector may call it. Authors of
// managers and embedders see of it mount.Fragment, which goes in, and
// mount.ConflictError, which may come out.
package merge
