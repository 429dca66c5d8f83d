package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"gomodules.xyz/jsonpatch/v2"

	"github.com/podsecrets/podsecrets/examples/inject/internal/diff"
	"github.com/podsecrets/podsecrets/examples/inject/internal/yamledit"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/secret"
)

// writer writes the processed sources.
type writer func(out io.Writer, sources []*source, colors bool) error

// The names of outputs. outputList is for -check and decode.
const (
	outputDiff  = "diff"
	outputJSON  = "json"
	outputList  = "list"
	outputPatch = "patch"
	outputPlan  = "plan"
	outputYAML  = "yaml"
)

var writers = map[string]writer{
	outputDiff:  writeDiff,
	outputJSON:  writeJSON,
	outputPatch: writePatches,
	outputPlan:  writePlan,
	outputYAML:  writeYAML,
}

// startsDocument matches the beginning of a file whose first document starts with a
// separator or a directive: a byte order mark, blank lines and comments may precede it.
var startsDocument = regexp.MustCompile(`^\x{FEFF}?(?:[ \t]*(?:#.*)?\r?\n)*(---(?:[ \t\r\n]|$)|%)`)

// writeYAML writes the files in order as one stream of documents.
func writeYAML(out io.Writer, sources []*source, _ bool) error {
	isFirst, endsLine := true, true
	for _, s := range sources {
		if len(s.text) == 0 {
			continue
		}
		at := 0
		if !isFirst {
			if !endsLine {
				fmt.Fprintln(out)
			}
			at = len(s.text) - len(bytes.TrimPrefix(s.text, []byte("\uFEFF")))
			switch start := startsDocument.FindSubmatch(s.text); {
			case start == nil:
				fmt.Fprintln(out, "---")
			case string(start[1]) == "%": // a directive must follow the end of a document
				fmt.Fprintln(out, "...")
			}
		}
		if err := yamledit.WriteEdited(out, s.text, at, len(s.text), s.edits); err != nil {
			return err
		}
		isFirst, endsLine = false, s.endsLine()
	}
	return nil
}

func writeJSON(out io.Writer, sources []*source, _ bool) error {
	for _, s := range sources {
		if _, err := out.Write(s.json.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// appendIndented appends a document as kubectl writes JSON.
func appendIndented(out *bytes.Buffer, v *yamledit.Value) {
	// AppendJSON returns valid JSON.
	_ = json.Indent(out, v.AppendJSON(nil), "", "    ")
	out.WriteByte('\n')
}

func writePatches(out io.Writer, sources []*source, _ bool) error {
	lines := json.NewEncoder(out)
	for _, s := range sources {
		for _, c := range s.changes {
			if len(c.operations) == 0 {
				continue
			}
			err := lines.Encode(struct {
				APIVersion string                `json:"apiVersion"`
				Kind       string                `json:"kind"`
				Namespace  string                `json:"namespace"`
				Name       string                `json:"name"`
				Patch      []jsonpatch.Operation `json:"patch"`
			}{c.object.APIVersion, c.object.Kind, c.object.Namespace, c.object.Name, c.operations})
			if err != nil {
				return fmt.Errorf("%s: %v: %w", s.name, c.object, err)
			}
		}
	}
	return nil
}

func writePlan(out io.Writer, sources []*source, _ bool) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "OBJECT\tREQUEST\tMANAGER\tREAD FROM"+allowedByTitle(sources))
	for _, s := range sources {
		for _, c := range s.changes {
			for i, p := range c.placements {
				fmt.Fprintf(table, "%s\t%v\t%s\t%s%s\n", oneLine(c.object.String()), p.Request, p.Manager, readFrom(p), column(c.allowedBy[i]))
			}
		}
	}
	return table.Flush()
}

// allowedByTitle returns the title of a further column if there are rules.
func allowedByTitle(sources []*source) string {
	for _, s := range sources {
		for _, c := range s.changes {
			for _, rule := range c.allowedBy {
				if rule != "" {
					return column("ALLOWED BY")
				}
			}
		}
	}
	return ""
}

func column(text string) string {
	if text == "" {
		return ""
	}
	return "\t" + text
}

// readFrom lists the variables and the file that hold the secret.
func readFrom(p injector.Placement) string {
	var names []string
	for _, name := range []string{p.EnvVar, p.Path, p.Request.EnvVar} {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// writeRequests lists the requests in manifests.
func writeRequests(out io.Writer, sources []*source, _ bool) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "WHERE\tOBJECT\tREQUEST")
	for _, s := range sources {
		for _, c := range s.changes {
			for _, req := range c.requests {
				fmt.Fprintf(table, "%s:%d\t%s\t%s\n", s.name, c.line, oneLine(c.object.String()), requestText(req))
			}
		}
	}
	return table.Flush()
}

func requestText(req secret.Request) string { return oneLine(req.Text()) }

func writeDiff(out io.Writer, sources []*source, colors bool) error {
	for _, s := range sources {
		if len(s.edits) == 0 {
			continue
		}
		text := diff.Unified(s.name, s.text, s.edits)
		if colors {
			text = diff.Colored(text)
		}
		if _, err := out.Write(text); err != nil {
			return err
		}
	}
	return nil
}
