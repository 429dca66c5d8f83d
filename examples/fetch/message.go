package main

import (
	"fmt"
	"os"
	"strings"
)

// maxMessage is the limit of the kubelet for a container's termination message,
// in bytes.
const maxMessage = 4096

// problem is a failure, and the secret or variable that has it.
type problem struct {
	subject string
	failure
}

// message returns the line that tells about all problems, as far as there is
// room: "not found: A, B; denied: HOST answers 403: C; and 12 more".
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

// shorten keeps a text in one line, and within n bytes and some.
func shorten(text string, n int) string {
	text = strings.Trim(fmt.Sprintf("%+q", text), `"`)
	if len(text) > n {
		return text[:n] + "..."
	}
	return text
}

// writeTermination writes the line where the kubelet looks for it. There is
// nothing to do about an error: the line is in the log, too.
func writeTermination(path, line string) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC|os.O_CREATE, 0o600) // #nosec G304 -- a setting of the container
	if err != nil {
		return
	}
	_, _ = f.WriteString(line)
	_ = f.Close()
}
