package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress shows the progress of a run on a terminal, after a second.
type progress struct {
	out     io.Writer // nil without a terminal
	started time.Time
	shown   time.Time
	count   int
}

func newProgress(stderr io.Writer) progress {
	p := progress{started: time.Now()}
	if isTerminal(stderr) {
		p.out = stderr
	}
	return p
}

func (p *progress) step(file string) {
	if p.count++; p.out == nil || p.count%64 != 0 {
		return
	}
	if now := time.Now(); now.Sub(p.started) > time.Second && now.Sub(p.shown) > time.Second/5 {
		p.shown = now
		fmt.Fprintf(p.out, "\r\x1b[Kinject: %d documents, %s", p.count, oneLine(file))
	}
}

// end clears the line.
func (p *progress) end() {
	if p.out != nil && !p.shown.IsZero() {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

// isTerminal reports whether w is an interactive terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	stat, err := f.Stat()
	return err == nil && stat.Mode()&os.ModeCharDevice != 0 && stat.Mode()&os.ModeDevice != 0 && os.Getenv("TERM") != "dumb"
}
