package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/podsecrets/podsecrets/examples/webhook/internal/flyte"
)

// document is one file of a configuration, or one entry of a ConfigMap.
type document struct {
	name string // of several; empty for a single one
	text []byte
	root *yaml.Node // of the text; set by decode
}

// source is where a configuration comes from: files, and the release of Flyte
// whose sections they have.
type source struct {
	files   []string
	release flyte.Release
	content []byte // of what load read
}

// String is source for flag.Value.
func (s *source) String() string { return strings.Join(s.files, ", ") }

// Set adds a file, for flag.Value.
func (s *source) Set(file string) error {
	s.files = append(s.files, file)
	return nil
}

// load reads a configuration from files. Without any it is the default one.
func (s *source) load() (*config, []string, error) {
	docs, err := s.read()
	if err != nil {
		return nil, nil, err
	}
	s.content = contentOf(docs)
	return s.parse(docs)
}

// parse is load for documents that were read.
func (s *source) parse(docs []document) (*config, []string, error) {
	cfg, warnings, err := parseDocuments(docs, s.release)
	if err != nil && len(s.files) > 0 {
		return nil, nil, fmt.Errorf("%s:\n%w", s, err)
	}
	return cfg, warnings, err
}

// read returns the documents of all files, in their order. A pattern stands for
// the files that match it and a directory for the YAML files in it, by name, as
// Flyte's own -config does. A ConfigMap stands for its entries.
func (s *source) read() (docs []document, err error) {
	for _, file := range s.files {
		paths, err := expand(file)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			text, err := os.ReadFile(path) // #nosec G304 -- a file that the flag names
			if err != nil {
				return nil, err // names the file
			}
			docs = append(docs, document{name: path, text: text})
		}
	}
	docs = slices.Concat(mapDocuments(docs)...)
	if len(docs) == 1 {
		docs[0].name = "" // load names it
	}
	return docs, nil
}

func expand(file string) ([]string, error) {
	info, err := os.Stat(file)
	switch {
	case err == nil && info.IsDir():
		file = filepath.Join(file, "*.yaml")
	case err == nil || !strings.ContainsAny(file, "*?["):
		return []string{file}, nil
	}
	paths, err := filepath.Glob(file)
	if err == nil && len(paths) == 0 {
		err = errors.New("no file matches")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return paths, nil
}

// mapDocuments puts the entries of a ConfigMap in its place.
func mapDocuments(docs []document) [][]document {
	all := make([][]document, 0, len(docs))
	for _, doc := range docs {
		var manifest struct {
			Kind string            `yaml:"kind"`
			Data map[string]string `yaml:"data"`
		}
		if yaml.Unmarshal(doc.text, &manifest) != nil || manifest.Kind != "ConfigMap" {
			all = append(all, []document{doc})
			continue
		}
		var entries []document
		for _, name := range slices.Sorted(maps.Keys(manifest.Data)) {
			if ext := filepath.Ext(name); ext == ".yaml" || ext == ".yml" {
				entries = append(entries, document{name: name, text: []byte(manifest.Data[name])})
			}
		}
		all = append(all, entries)
	}
	return all
}

// decode reads the documents over the settings that cfg has, and sets their roots.
func (cfg *config) decode(docs []document) error {
	var errs []error
	for i := range docs {
		doc := &docs[i]
		if err := doc.decode(cfg); err != nil {
			errs = append(errs, inDocument(doc.name, err))
		}
	}
	return errors.Join(errs...)
}

func (doc *document) decode(cfg *config) error {
	decoder := yaml.NewDecoder(bytes.NewReader(doc.text))
	decoder.KnownFields(true)
	if err := decoder.Decode(cfg); err != nil && !errors.Is(err, io.EOF) {
		return readable(err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return errors.New("there is more than one document")
	}
	doc.root = &yaml.Node{}
	return yaml.Unmarshal(doc.text, doc.root)
}

// inDocument puts the name of the document before each line of an error.
func inDocument(name string, err error) error {
	if name == "" {
		return err
	}
	return errors.New(prefix(name) + strings.ReplaceAll(err.Error(), "\n", "\n"+prefix(name)))
}

// contentOf is that of all documents, to see whether it has changed.
func contentOf(docs []document) (all []byte) {
	for _, doc := range docs {
		all = append(append(append(all, doc.name...), 0), doc.text...)
	}
	return all
}
