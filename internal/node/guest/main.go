//go:build linux

// Command guest is the program of the tests' containers: a sandbox's pause, a program
// that reports what it sees, and models of programs that fetch secrets. It is
// statically linked. Its mode is its name or, if that is guest, the first argument.
//
//	pause                 waits for a signal
//	read [flags]          reports what it sees as a line of JSON; see package reader
//	write FILE=TEXT...    writes files, as the Pod's own init container
//	aws                   models AWS's sidecar image; see aws
//	gcloud, az            model the vendors' command lines
package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	mode, args := filepath.Base(os.Args[0]), os.Args[1:]
	if mode == "guest" && len(args) > 0 {
		mode, args = args[0], args[1:]
	}
	var err error
	switch mode {
	case "pause":
		pause()
	case "read":
		err = read(args)
	case "write":
		err = write(args)
	case "aws":
		err = aws()
	case "gcloud":
		err = gcloud(args)
	case "az":
		err = az(args)
	default:
		err = fmt.Errorf("unknown mode %q", mode)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		_ = os.WriteFile("/dev/termination-log", []byte(err.Error()), 0o600) // does not exist in a sandbox
		os.Exit(1)
	}
}

func pause() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM, syscall.SIGINT)
	<-c
}

func write(args []string) error {
	for _, a := range args {
		file, text, _ := strings.Cut(a, "=")
		if err := writeFile(file, []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(file string, content []byte) error {
	err := os.MkdirAll(filepath.Dir(file), 0o755) // #nosec G301 -- for everybody, as in AWS's image
	if err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o644) // #nosec G306 G703 -- for everybody, as in AWS's image
}
