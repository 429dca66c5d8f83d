// Package merge makes of the fragments that managers answered one change to a
// Pod, and of the change the edits that one Pod needs.
//
//	secrets ──► Change ──┐
//	                     ├──► Edits ──► a Pod, operations, or a JSON patch
//	Pod or bytes ► View ─┘
//
// Names, ordering, idempotence and conflicts are decided here and nowhere else.
// Everything is decided on a View, which is made from a typed Pod or from the
// bytes of one, and everything that is decided is an edit: these elements, at
// this place, into this list. So the three forms in which edits leave the
// package cannot disagree.
//
// It is internal because only the injector may call it; those who write a
// manager or embed the injector see of it only mount.Fragment, which goes in,
// and mount.ConflictError, which may come out.
package merge
