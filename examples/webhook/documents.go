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

// document is a configuration file, or an entry of a ConfigMap.
type document struct {
	name string // empty if it is the only document
	text []byte
	root *yaml.Node // the parsed text; set by decode
}

// source is where a configuration comes from: files, and the Flyte release that
// their sections are written for.
type source struct {
	files   []string
	release flyte.Release
	content []byte // contentOf the documents that load read
}

// String lists the files, for flag.Value.
func (s *source) String() string { return strings.Join(s.files, ", ") }

// Set adds a file, for flag.Value.
func (s *source) Set(file string) error {
	s.files = append(s.files, file)
	return nil
}

// load reads the configuration from the files. Without files it is the default one.
func (s *source) load() (*config, []string, error) {
	docs, err := s.read()
	if err != nil {
		return nil, nil, err
	}
	s.content = contentOf(docs)
	return s.parse(docs)
}

// parse is load for documents that are already read.
func (s *source) parse(docs []document) (*config, []string, error) {
	cfg, warnings, err := parseDocuments(docs, s.release)
	if err != nil && len(s.files) > 0 {
		return nil, nil, fmt.Errorf("%s:\n%w", s, err)
	}
	return cfg, warnings, err
}

// read returns the documents of all files in order. As with Flyte's own -config, a
// pattern expands to the matching files, and a directory to its YAML files, sorted
// by name. A ConfigMap expands to its entries.
func (s *source) read() (docs []document, err error) {
	for _, file := range s.files {
		paths, err := expand(file)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			text, err := os.ReadFile(path) // #nosec G304 -- a file named by the flag
			if err != nil {
				return nil, err // names the file
			}
			docs = append(docs, document{name: path, text: text})
		}
	}
	docs = expandConfigMaps(docs)
	if len(docs) == 1 {
		docs[0].name = "" // parse names the file
	}
	return docs, nil
}

// expand returns the paths of the files that a pattern or a directory stands for.
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
		err = errors.New("no matching file")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return paths, nil
}

// expandConfigMaps replaces each ConfigMap by its YAML entries, sorted by name.
func expandConfigMaps(docs []document) (all []document) {
	for _, doc := range docs {
		var manifest struct {
			Kind string            `yaml:"kind"`
			Data map[string]string `yaml:"data"`
		}
		if yaml.Unmarshal(doc.text, &manifest) != nil || manifest.Kind != "ConfigMap" {
			all = append(all, doc)
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(manifest.Data)) {
			if ext := filepath.Ext(name); ext == ".yaml" || ext == ".yml" {
				all = append(all, document{name: name, text: []byte(manifest.Data[name])})
			}
		}
	}
	return all
}

// decode overrides the settings of cfg by those of the documents, and sets the
// documents' roots.
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
		return errors.New("must be a single YAML document")
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

// contentOf joins the names and texts of the documents, to detect changes.
func contentOf(docs []document) (all []byte) {
	for _, doc := range docs {
		all = append(append(append(all, doc.name...), 0), doc.text...)
	}
	return all
}
