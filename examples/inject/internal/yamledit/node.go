package yamledit

// Kind is the kind of a Node.
type Kind uint8

// The kinds of nodes.
const (
	Scalar Kind = iota
	Mapping
	Sequence
	Alias
)

// style is how a node is written.
type style uint8

const (
	plain style = iota // a scalar without quotes, or nothing at all
	single
	double
	literal // a block scalar that begins with "|"
	folded  // a block scalar that begins with ">"
	block   // a collection with a line for each entry
	flow    // a collection in brackets
)

// Node is a piece of a document's text.
type Node struct {
	Kind  Kind
	style style

	// Start is the offset of the first byte, including anchor and tag. End is the
	// offset after the last byte, excluding comments and line breaks that follow.
	Start, End int
	// content is the offset of the first byte after anchor and tag.
	content int
	// column is the column of the entries of a block collection.
	column int

	anchor, tag string
	text        string // a scalar's text, before its type is known
	target      *Node  // of an alias
	pairs       []pair
	items       []item

	value *Value // nil until built
}

// pair is an entry of a mapping.
type pair struct {
	key, value *Node
	start      int // of the key, or of the "?" before it
	colon      int // offset after the ":", or after the key if there is none
}

// item is an entry of a sequence.
type item struct {
	node  *Node
	start int // of the "-", or of the node in flow style
}

func (n *Node) empty() bool { return n.content == n.End }

// merges reports whether a key is a merge key rather than a field.
func (n *Node) merges() bool {
	return n.Kind == Scalar && n.text == "<<" && (n.tag == tagMerge || n.tag == "" && n.style == plain)
}

// entryEnd returns where the i-th entry of a collection ends.
func (n *Node) entryEnd(i int) int {
	if n.Kind == Mapping {
		return max(n.pairs[i].colon, n.pairs[i].value.End)
	}
	return max(n.items[i].start+1, n.items[i].node.End)
}
