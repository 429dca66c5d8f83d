package main

import (
	"fmt"
	"os"
	"strings"
)

// maxMessage is the kubelet's limit for a termination message, in bytes.
const maxMessage = 4096

// problem is the failure of a secret or a variable.
type problem struct {
	subject string
	failure
}

// message returns a line with all problems that fit:
// "not found: A, B; denied: HOST answers 403: C; and 12 more".
func message(problems []problem) string {
	var reasons []string
	subjects := map[string][]string{}
	for _, p := range problems {
		reason := p.Error()
		if subjects[reason] == nil {
			reasons = append(reasons, reason)
		}
		subjects[reason] = append(subjects[reason], p.subject)
	}
	var line strings.Builder
	left := len(problems)
	room := maxMessage - len("; and 1000000 more")
	for _, reason := range reasons {
		before := "; " + reason + ": "
		if line.Len() == 0 {
			before = before[2:]
		}
		for _, subject := range subjects[reason] {
			if line.Len()+len(before)+len(subject) > room {
				return fmt.Sprintf("%s; and %d more", line.String(), left)
			}
			line.WriteString(before + subject)
			before = ", "
			left--
		}
	}
	return line.String()
}

// shorten escapes a text and cuts it after n bytes.
func shorten(text string, n int) string {
	text = strings.Trim(fmt.Sprintf("%+q", text), `"`)
	if len(text) > n {
		return text[:n] + "..."
	}
	return text
}

// writeTermination writes the termination message. It ignores errors, because the line is also in
// the log.
func writeTermination(path, line string) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC|os.O_CREATE, 0o600) // #nosec G304 -- a setting of the container
	if err != nil {
		return
	}
	_, _ = f.WriteString(line)
	_ = f.Close()
}
