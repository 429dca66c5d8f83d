// Package yamledit changes YAML and JSON files in as few bytes as possible.
//
// Read takes a file apart into documents, each with the position of every node.
// A document's Value is what kubectl reads there. Change the Value (Patch), and
// Document.Edit returns where the text needs which insertion so that it says
// the same: comments, order, indentation, quoting, anchors and line ends stay.
//
// # Why a reader of its own
//
// An edit needs the first and the last byte of every node. The known YAML
// libraries for Go give the line and column where a node begins, counted in
// characters and in line breaks of YAML, and not where it ends. The scanning
// rules here are those of libyaml, from which kubectl's reader is translated
// too, so that both see the same scalars.
//
// Kubectl's own reader (apimachinery's, with sigs.k8s.io/yaml) reads every file
// beside this one, and every edited document again. A file in which the two see
// different objects is an error, so a fault in this reader can stop a change but
// never hide or alter an object. The reader accepts more than YAML allows, as
// kubectl's refuses the rest.
//
// # Words
//
// A chunk is what kubectl takes for one document: the lines between two that
// begin with "---". A node is a piece of the text; a Value is what it means. An
// alias has the Value of its anchor. A part is written anew where only adding
// lines is not enough; see Rewrite.
package yamledit
