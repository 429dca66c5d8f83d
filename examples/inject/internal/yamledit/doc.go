// Package yamledit changes YAML and JSON files in as few bytes as possible.
//
// Read splits a file into documents, each with the position of every node. A document's
// Value is what kubectl reads. Patch changes the Value; Document.Edit then returns the
// edits of the text that give it the new Value. Comments, order, indentation, quoting,
// anchors and line ends stay.
//
// # Why a separate reader
//
// An edit needs the first and the last byte of every node. Go's common YAML libraries
// give only the line and column where a node begins, counted in characters and in YAML's
// line breaks, and not where it ends. This reader follows the scanning rules of libyaml,
// from which kubectl's reader is also translated, so both see the same scalars.
//
// Kubectl's own reader (apimachinery's, with sigs.k8s.io/yaml) also reads every file, and
// every edited document again. It is an error if the two readers see different objects, so
// a bug in this reader can prevent a change but never hide or alter an object. This reader
// accepts more than YAML allows, because kubectl's refuses the rest.
//
// # Terms
//
// A chunk is one document to kubectl: the lines between two lines that begin with "---".
// A node is a piece of the text; a Value is its meaning. An alias has the Value of its
// anchor. A part is rewritten where adding lines is not enough; see Rewrite.
package yamledit
