// Command inject writes Kubernetes manifests with secrets injected. It shows what a webhook
// built with this library would do, so that people can review, test and commit it without a
// cluster.
//
//	inject [command] [flags] [file or directory ...]
//
// It reads YAML or JSON from files, directories or standard input (no file, or "-"). A file
// may have several documents and lists. Secrets are injected into the Pods of all known
// kinds (-h lists them). Requests come from annotations first (Flyte's, then readable ones;
// see package secret), then from -request. Managers see the namespace of the object with the
// template, which is also the Pods'.
//
// # Preserved text
//
// A changed document keeps its comments, order, indentation, quoting, anchors and line
// ends. Only lines are added, in the surrounding style. Where that is impossible (flow
// style, an alias that would change elsewhere), the smallest part is rewritten, and a line
// on standard error names it.
//
// Unknown fields stay in every form of output. YAML is read as kubectl reads it (version
// 1.1: yes is true): kubectl's own reader runs next to the editing one, and a difference
// between them is an error. So are duplicate keys and anything that kubectl would skip.
//
// # Errors
//
// Nothing is skipped silently. These are errors, or warnings with -skip-unknown: a request
// that reaches no Pod, something that looks like a Pod in an object of unknown kind, and
// request annotations in a place where they are not read.
//
// On an error no manifest is written, neither to standard output nor in place; a KRM function
// returns its list unchanged, with the errors in results. Each error is one line on standard
// error, with file, line, object and field. The exit code is 1 for an error and 2 for wrong
// usage. With -check it is 0 if nothing would change, 1 if something would, and 2 for any
// error.
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
	exitTodo   = 1 // -check: something would change
	exitUsage  = 2
)

// run is main without os.Exit. It writes to stdout only after all sources have succeeded,
// except that a KRM function returns its list on failure too.
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

// command runs the command line and returns the exit code.
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

// finish prints the notes and writes the output.
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
