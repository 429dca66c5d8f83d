package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"gomodules.xyz/jsonpatch/v2"
)

type writer func(*bytes.Buffer, []document) error

var writers = map[string]writer{
	"json":  writeJSON,
	"patch": writePatches,
	"plan":  writePlan,
	"yaml":  writeYAML,
}

func writeYAML(out *bytes.Buffer, docs []document) error {
	for i := range docs {
		d := &docs[i]
		head, body := d.head, d.body
		if d.patched != nil {
			text, err := jsonToYAML(d.patched)
			if err != nil {
				return d.errorf("%w", err)
			}
			body = text
			if len(head) > 0 && !bytes.HasSuffix(head, []byte("\n")) { // what followed on that line is in body
				head = append(bytes.TrimRight(head, " \t"), '\n')
			}
		}
		if len(head)+len(body) == 0 {
			continue
		}
		if out.Len() > 0 {
			head = bytes.TrimPrefix(head, []byte("\uFEFF"))
			if !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
				out.WriteString("\n")
			}
			switch {
			case bytes.HasPrefix(head, []byte("%")): // a directive, before which a document must end
				out.WriteString("...\n")
			case !separator.Match(head):
				out.WriteString("---\n")
			}
		}
		out.Write(head)
		out.Write(body)
	}
	return nil
}

func writeJSON(out *bytes.Buffer, docs []document) error {
	for i := range docs {
		d := &docs[i]
		if d.empty() {
			continue
		}
		text := d.json
		if d.patched != nil {
			text = d.patched
		}
		if err := json.Indent(out, text, "", "    "); err != nil {
			return d.errorf("%w", err)
		}
		out.WriteByte('\n')
	}
	return nil
}

func writePatches(out *bytes.Buffer, docs []document) error {
	lines := json.NewEncoder(out)
	for i := range docs {
		for _, c := range docs[i].changes {
			if len(c.patch) == 0 {
				continue
			}
			err := lines.Encode(struct {
				APIVersion string                `json:"apiVersion"`
				Kind       string                `json:"kind"`
				Namespace  string                `json:"namespace"`
				Name       string                `json:"name"`
				Patch      []jsonpatch.Operation `json:"patch"`
			}{c.APIVersion, c.Kind, c.Metadata.Namespace, c.Metadata.Name, c.patch})
			if err != nil {
				return docs[i].errorf("%v: %w", c, err)
			}
		}
	}
	return nil
}

func writePlan(out *bytes.Buffer, docs []document) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "OBJECT\tREQUEST\tMANAGER\tREAD FROM")
	for i := range docs {
		for _, c := range docs[i].changes {
			for _, p := range c.placements {
				// One is empty: it is a variable or a file.
				fmt.Fprintf(table, "%s\t%v\t%s\t%s\n", oneLine(c.String()), p.Request, p.Manager, p.EnvVar+p.Path)
			}
		}
	}
	return table.Flush()
}
