package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// checker collects the problems of a configuration, with their lines.
type checker struct {
	docs     []document
	sections map[string][]string // paths of sections in Flyte's configuration
	flaws    []remark
	warnings []remark
}

type remark struct {
	doc  int // index of the document
	name string
	line int
	text string
}

func (r remark) Error() string { return fmt.Sprintf("%sline %d: %s", prefix(r.name), r.line, r.text) }

// prefix returns the name of a document with a colon, or "" if it has none.
func prefix(name string) string {
	if name == "" {
		return ""
	}
	return name + ": "
}

// err joins all flaws in the order of the documents.
func (c *checker) err() error {
	var errs []error
	for _, flaw := range inOrder(c.flaws) {
		errs = append(errs, flaw)
	}
	return errors.Join(errs...)
}

// inOrder sorts remarks by position and drops duplicates: two checks may report
// the same problem.
func inOrder(remarks []remark) []remark {
	return slices.Compact(slices.SortedFunc(slices.Values(remarks), func(a, b remark) int {
		return cmp.Or(cmp.Compare(a.doc, b.doc), cmp.Compare(a.line, b.line), cmp.Compare(a.text, b.text))
	}))
}

func (c *checker) require(ok bool, reason string, path ...string) {
	if !ok {
		c.flaws = append(c.flaws, c.at(reason, path))
	}
}

func (c *checker) oneOf(value string, values []string, path ...string) {
	c.require(slices.Contains(values, value), fmt.Sprintf("%q is not one of %s", value, strings.Join(values, ", ")), path...)
}

func (c *checker) report(err error, path ...string) {
	if err != nil {
		c.require(false, err.Error(), path...)
	}
}

// reportField reports an error of the library, "package: Field ...", at the
// matching field of the section.
func (c *checker) reportField(err error, section string) {
	if err == nil {
		return
	}
	path, ok := c.sections[section]
	if !ok {
		path = []string{section}
	}
	_, reason, _ := strings.Cut(err.Error(), ": ")
	if place := c.find(path); place.depth == len(path) {
		field, rest, _ := strings.Cut(reason, " ")
		if key, _ := child(place.node, strings.TrimSuffix(field, ":"), strings.EqualFold); key != nil {
			path, reason = append(path, key.Value), rest
		}
	}
	c.require(false, reason, path...)
}

func (c *checker) warn(reason string, path ...string) {
	c.warnings = append(c.warnings, c.at(reason, path))
}

// has reports whether a document has the path.
func (c *checker) has(path ...string) bool { return c.find(path).depth == len(path) }

// at returns a remark about the path. Its line is that of the longest part of the
// path that a document has.
func (c *checker) at(reason string, path []string) remark {
	place := c.find(path)
	r := remark{doc: place.doc, line: max(place.line, 1), text: strings.Join(path, ".") + ": " + reason}
	if place.doc < len(c.docs) {
		r.name = c.docs[place.doc].name
	}
	return r
}

// position is a node of a document, depth steps down a path.
type position struct {
	doc, line int
	node      *yaml.Node
	depth     int
}

// find follows the path as far as a document has it. If several documents have the
// same part, the last one counts.
func (c *checker) find(path []string) (longest position) {
	for i, doc := range c.docs {
		p := position{doc: i, node: doc.root}
		for _, name := range path {
			key, value := child(p.node, name, func(a, b string) bool { return a == b })
			if key == nil {
				break
			}
			p.line, p.node = key.Line, value
			p.depth++
		}
		if i == 0 || p.depth > 0 && p.depth >= longest.depth {
			longest = p
		}
	}
	return longest
}

// child returns the entry of a mapping by its key, or of a list by its index.
func child(node *yaml.Node, name string, same func(a, b string) bool) (key, value *yaml.Node) {
	switch node.Kind {
	case yaml.AliasNode:
		return child(node.Alias, name, same)
	case yaml.DocumentNode:
		return child(node.Content[0], name, same)
	case yaml.MappingNode:
		for i := 0; i < len(node.Content); i += 2 {
			if same(node.Content[i].Value, name) {
				return node.Content[i], node.Content[i+1]
			}
		}
		return merged(node, name, same)
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(name); err == nil && i < len(node.Content) {
			return node.Content[i], node.Content[i]
		}
	}
	return nil, nil
}

// merged returns the entry that a mapping gets through YAML's merge key.
func merged(node *yaml.Node, name string, same func(a, b string) bool) (key, value *yaml.Node) {
	for i := 0; i < len(node.Content); i += 2 {
		if node.Content[i].Tag != "!!merge" {
			continue
		}
		sources := []*yaml.Node{node.Content[i+1]}
		if sources[0].Kind == yaml.SequenceNode {
			sources = sources[0].Content
		}
		for _, source := range sources {
			if key, value := child(source, name, same); key != nil {
				return key, value
			}
		}
	}
	return nil, nil
}
