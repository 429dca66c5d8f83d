// Command inject writes Kubernetes manifests with secrets injected, so that
// what a webhook built with this library would do can be seen, tested and
// committed without a cluster.
//
//	inject [command] [flags] [file or directory ...]
//
// It reads YAML or JSON, from files, directories or standard input (no file, or
// "-"): several documents in a file, and lists. Pods are injected wherever a
// known kind describes them (-h lists the kinds), with the requests in their
// annotations first (Flyte's, then readable ones; see package secret) and those of
// -request after. Managers see the namespace of the object that holds the template,
// as that is the Pods'.
//
// # What stays
//
// A changed document keeps its comments, order, indentation, quoting, anchors and
// line ends. Only lines are added, in the style of what is around. Where that is
// not possible (flow style, an alias that would change elsewhere) the smallest part
// is written anew, and a line on standard error says which.
//
// Fields that this build does not know stay in all forms of output. YAML is read as
// kubectl reads it (version 1.1: yes is true), by kubectl's own reader beside the
// one that edits. Where these see different objects, that is an error. So is a key
// that is there twice, and anything that kubectl would pass over.
//
// # What is told
//
// What could be skipped in silence is an error: a request that reaches no Pod,
// something that looks like a Pod in an object of unknown kind, and request
// annotations where nobody reads them. With -skip-unknown these are warnings.
//
// On an error no manifest is written, neither to standard output nor in place. A KRM
// function then returns its list unchanged, with the errors in results. Each
// error is one line on standard error, with file, line, object and place. The exit
// code is 1; of wrong usage 2; of -check 0 if there is nothing to do, 1 if there
// is, and 2 for any error.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitTodo   = 1 // of -check
	exitUsage  = 2
)

// run is main for tests. Nothing is written to stdout before all sources have
// succeeded; a KRM function also returns its list on failure.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var out bytes.Buffer
	exit, err := command(args, stdin, stdout, stderr, &out)
	if err == nil {
		if _, err = out.WriteTo(stdout); err != nil {
			exit = exitFailed
		}
	}
	if err != nil {
		fmt.Fprintln(stderr, "inject: "+oneLine(err.Error()))
	}
	return exit
}

// command does what the arguments say, and returns the exit code.
func command(args []string, stdin io.Reader, stdout, stderr io.Writer, out *bytes.Buffer) (exit int, err error) {
	o, err := parseFlags(args)
	if errors.Is(err, flag.ErrHelp) {
		out.WriteString(usage())
		return exitOK, nil
	}
	if err != nil {
		return exitUsage, fmt.Errorf("%w (-h for help)", err)
	}
	switch {
	case o.version:
		out.WriteString(version())
		return exitOK, nil
	case o.command == "completion":
		return completion(out, o.files)
	}
	failed := exitFailed
	if o.check {
		failed = exitUsage
	}
	sources, err := o.sources(stdin, stdout)
	if err != nil {
		return failed, err
	}
	list, err := resourceList(sources)
	if err != nil {
		return failed, err
	}
	if list != nil {
		if o, err = parseFlags(list.arguments(args)); err != nil {
			return exitUsage, fmt.Errorf("functionConfig: %w", err)
		}
	}
	t, err := o.tool(stderr)
	if err != nil {
		return exitUsage, err
	}
	t.run(context.Background(), sources)
	if list != nil && o.outcome() == outputYAML {
		return list.finish(t, stderr, out)
	}
	return o.finish(t, sources, stdout, stderr, out, failed)
}

// finish tells what there is to tell, and writes the outcome.
func (o *options) finish(t *tool, sources []*source, stdout, stderr io.Writer, out *bytes.Buffer, failed int) (int, error) {
	for _, n := range t.notes {
		fmt.Fprintln(stderr, "inject: "+n.String())
	}
	if t.failed() {
		return failed, nil
	}
	switch {
	case o.check:
		return checked(out, sources), nil
	case o.inPlace:
		if err := writeInPlace(sources); err != nil {
			return exitFailed, err
		}
		return exitOK, nil
	}
	colors := isTerminal(stdout) && os.Getenv("NO_COLOR") == ""
	buffered := bufio.NewWriterSize(stdout, 1<<16)
	if err := errors.Join(o.writer()(buffered, sources, colors), buffered.Flush()); err != nil {
		return exitFailed, fmt.Errorf("standard output: %w", err)
	}
	return exitOK, nil
}

// checked lists the objects that would change.
func checked(out *bytes.Buffer, sources []*source) (exit int) {
	for _, s := range sources {
		for _, c := range s.changes {
			if c.changed {
				fmt.Fprintf(out, "%s:%d: %s\n", s.name, c.line, oneLine(c.object.String()))
				exit = exitTodo
			}
		}
	}
	return exit
}
