package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gomodules.xyz/jsonpatch/v2"

	"github.com/podsecrets/podsecrets/examples/inject/internal/manifest"
	"github.com/podsecrets/podsecrets/examples/inject/internal/yamledit"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/secret"
)

const stdinName = "standard input"

// source is a file, or standard input, with its changes.
type source struct {
	name string // for messages
	text []byte

	edits   []yamledit.Edit
	json    bytes.Buffer // its documents, for -o json
	changes []change
}

// change describes the changes of one Pod of an object, in the detail that the output needs.
type change struct {
	object     manifest.Object
	line       int
	changed    bool
	requests   []secret.Request
	placements []injector.Placement
	allowedBy  []string              // the rule for each placement, or ""
	operations []jsonpatch.Operation // paths from the object's root
}

// edited returns the text with the edits applied.
func (s *source) edited() []byte {
	if len(s.edits) == 0 {
		return s.text
	}
	return yamledit.Apply(s.text, 0, len(s.text), s.edits)
}

// endsLine reports whether the edited text ends with a line break.
func (s *source) endsLine() bool {
	if last := len(s.edits) - 1; last >= 0 && s.edits[last].End == len(s.text) {
		return strings.HasSuffix(s.edits[last].Text, "\n")
	}
	return bytes.HasSuffix(s.text, []byte("\n"))
}

// sources reads the files, directories and "-" of the arguments.
func (o *options) sources(stdin io.Reader, stdout io.Writer) ([]*source, error) {
	var found []*source
	for _, name := range o.files {
		if name == "-" {
			text, err := io.ReadAll(stdin)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", stdinName, err)
			}
			found = append(found, &source{name: stdinName, text: text})
			continue
		}
		files, err := o.expand(name)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if err := checkOutput(file, stdout); err != nil {
				return nil, err
			}
			text, err := os.ReadFile(file) // #nosec G304 -- the user names the files
			if err != nil {
				return nil, err // names the file
			}
			found = append(found, &source{name: file, text: text})
		}
	}
	return found, nil
}

// expand returns the manifests in a directory, or the file itself.
func (o *options) expand(name string) ([]string, error) {
	stat, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !stat.IsDir() {
		return []string{name}, nil
	}
	var files []string
	err = filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != name && !o.recursive:
			return fs.SkipDir
		case !entry.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)):
			files = append(files, path)
		}
		return nil
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s: has no .yaml, .yml or .json files", name)
		if !o.recursive {
			err = fmt.Errorf("%w; -R also reads subdirectories", err)
		}
	}
	return files, err
}

// checkOutput refuses a file that is also standard output: the shell has already emptied it,
// or appends to it.
func checkOutput(file string, stdout io.Writer) error {
	out, ok := stdout.(*os.File)
	if !ok {
		return nil
	}
	a, errA := out.Stat()
	b, errB := os.Stat(file)
	if errA == nil && errB == nil && a.Mode().IsRegular() && os.SameFile(a, b) {
		return fmt.Errorf("%s: is also standard output, and would be overwritten before it is read; -w writes files in place", file)
	}
	return nil
}

// writeInPlace replaces the files. None is replaced until all new ones are written.
func writeInPlace(sources []*source) (err error) {
	temporary := make(map[string]string) // the new file, by file
	defer func() {
		for _, name := range temporary {
			err = errors.Join(err, os.Remove(name))
		}
	}()
	var order []string
	for _, s := range sources {
		if len(s.edits) == 0 {
			continue
		}
		file, err := filepath.EvalSymlinks(s.name)
		if err != nil {
			return err
		}
		if temporary[file] != "" {
			continue // named twice, or through a link
		}
		if temporary[file], err = writeBeside(file, s.edited()); err != nil {
			if temporary[file] == "" {
				delete(temporary, file)
			}
			return err
		}
		order = append(order, file)
	}
	for _, file := range order {
		if err := os.Rename(temporary[file], file); err != nil {
			return err
		}
		delete(temporary, file)
	}
	return nil
}

// writeBeside writes a new file with the directory and mode of another.
func writeBeside(file string, text []byte) (name string, err error) {
	stat, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(file), "."+strings.TrimPrefix(filepath.Base(file), ".")+"-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	return f.Name(), errors.Join(err, f.Chmod(stat.Mode().Perm()), f.Sync(), f.Close())
}
