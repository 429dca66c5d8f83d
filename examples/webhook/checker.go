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

// checker collects what is wrong with a configuration, each with the line that it
// is about.
type checker struct {
	docs     []document
	sections map[string][]string // where a section is, if not under its own name
	flaws    []remark
	warnings []remark
}

type remark struct {
	doc  int // the index of the document
	name string
	line int
	text string
}

func (r remark) Error() string { return fmt.Sprintf("%sline %d: %s", prefix(r.name), r.line, r.text) }

// prefix puts the name of a document in front, if it has one.
func prefix(name string) string {
	if name == "" {
		return ""
	}
	return name + ": "
}

// err joins all flaws, in the order of the file.
func (c *checker) err() error {
	var errs []error
	for _, flaw := range inOrder(c.flaws) {
		errs = append(errs, flaw)
	}
	return errors.Join(errs...)
}

// inOrder leaves out what is there twice, as two checks may find one thing.
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
	c.require(slices.Contains(values, value), fmt.Sprintf("%q is none of %s", value, strings.Join(values, ", ")), path...)
}

func (c *checker) report(err error, path ...string) {
	if err != nil {
		c.require(false, err.Error(), path...)
	}
}

// reportField is report for an error of the library's own, "package: Field ...",
// about one of the fields of a section.
func (c *checker) reportField(err error, section string) {
	if err == nil {
		return
	}
	path, ok := c.sections[section]
	if !ok {
		path = []string{section}
	}
	_, reason, _ := strings.Cut(err.Error(), ": ")
	if found := c.find(path); found.depth == len(path) {
		field, rest, _ := strings.Cut(reason, " ")
		if key, _ := child(found.node, strings.TrimSuffix(field, ":"), strings.EqualFold); key != nil {
			path, reason = append(path, key.Value), rest
		}
	}
	c.require(false, reason, path...)
}

func (c *checker) warn(reason string, path ...string) {
	c.warnings = append(c.warnings, c.at(reason, path))
}

// has reports whether one of the documents has something at the path.
func (c *checker) has(path ...string) bool { return c.find(path).depth == len(path) }

// at puts the path in front of the reason. The line is that of the nearest thing
// that a document has.
func (c *checker) at(reason string, path []string) remark {
	found := c.find(path)
	r := remark{doc: found.doc, line: max(found.line, 1), text: strings.Join(path, ".") + ": " + reason}
	if found.doc < len(c.docs) {
		r.name = c.docs[found.doc].name
	}
	return r
}

// place is what documents have of a path: the document, the line, and the node
// that is so many steps down the path.
type place struct {
	doc, line int
	node      *yaml.Node
	depth     int
}

// find goes down the path as far as any document does. Of two, the later one
// counts.
func (c *checker) find(path []string) (found place) {
	for i, doc := range c.docs {
		here := place{doc: i, node: doc.root}
		for _, name := range path {
			key, value := child(here.node, name, func(a, b string) bool { return a == b })
			if key == nil {
				break
			}
			here.line, here.node = key.Line, value
			here.depth++
		}
		if i == 0 || here.depth > 0 && here.depth >= found.depth {
			found = here
		}
	}
	return found
}

// child returns the entry of a mapping, or that of a list by its index.
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

// merged returns the entry that a mapping has from another one, through YAML's
// merge key.
func merged(node *yaml.Node, name string, same func(a, b string) bool) (key, value *yaml.Node) {
	for i := 0; i < len(node.Content); i += 2 {
		if node.Content[i].Tag != "!!merge" {
			continue
		}
		from := []*yaml.Node{node.Content[i+1]}
		if from[0].Kind == yaml.SequenceNode {
			from = from[0].Content
		}
		for _, other := range from {
			if key, value := child(other, name, same); key != nil {
				return key, value
			}
		}
	}
	return nil, nil
}
