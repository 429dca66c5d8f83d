// Command inject writes Kubernetes manifests with secrets injected, so that
// what a webhook built with this library would do can be seen, tested and
// committed without a cluster.
//
//	inject [flags] [file ...]
//
// It reads YAML or JSON, from the files or from standard input (no file, or
// "-"): several documents in a file, and Lists. Pods and the templates of
// Deployments and the like (-h lists them) are injected, with the requests in their
// annotations first (Flyte's, then readable ones; see package secret) and those of
// -request after. Managers see the namespace of the object that holds the template,
// as that is the Pods'.
//
// # Output
//
//   - yaml: what is not changed passes through byte for byte, with comments,
//     formatting and separators. A document that is changed is written anew: the
//     comments before its first line stay, those within it are lost, and anchors
//     are spelled out. A separator is added between JSON objects that follow
//     one another, and between files.
//   - json: each document as indented JSON, one after the other, as kubectl
//     accepts it.
//   - patch: for each object that is changed one line of JSON: apiVersion, kind,
//     namespace, name, and patch, an RFC 6902 patch with paths from the object's
//     root (of an item in a List: from that item's root).
//   - plan: a table of what is asked for, who serves it and where containers
//     read it. It never shows a value.
//
// Fields that this build does not know stay in all of them. YAML is read as
// kubectl reads it (version 1.1: yes is true), but a key that is there twice is
// an error, except in documents with merge keys ("<<:"), where it may be meant.
//
// On an error nothing is written to standard output, one line that names file,
// document and object to standard error, and the exit code is 1.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main for tests. All output waits until nothing can fail any more.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var out bytes.Buffer
	err := command(args, stdin, &out)
	if err == nil {
		_, err = out.WriteTo(stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "inject: "+oneLine(err.Error()))
		return 1
	}
	return 0
}

func command(args []string, stdin io.Reader, out *bytes.Buffer) error {
	o, err := parseFlags(args)
	if errors.Is(err, flag.ErrHelp) {
		out.WriteString(usage)
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w (-h for help)", err)
	}
	in, err := o.injector()
	if err != nil {
		return err
	}
	var docs []document
	for _, file := range o.files {
		more, err := read(file, stdin)
		if err != nil {
			return err
		}
		docs = append(docs, more...)
	}
	for i := range docs {
		if err := docs[i].inject(context.Background(), in, o.requests); err != nil {
			return err
		}
	}
	return o.write(out, docs)
}

func read(file string, stdin io.Reader) ([]document, error) {
	if file != "-" {
		text, err := os.ReadFile(file) // #nosec G304 -- the user names the files
		if err != nil {
			return nil, err // names the file
		}
		return parse(file, text)
	}
	text, err := io.ReadAll(stdin)
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return parse("standard input", text)
}

// oneLine joins the lines of an error that joins several, and keeps whatever
// names it quotes from starting another line.
func oneLine(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ")
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, s)
}
