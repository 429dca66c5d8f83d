// Command fetch is the program in fetching init containers: it reads secrets from AWS Secrets
// Manager, Google Secret Manager or Azure Key Vault, and writes them to files and env files.
// Environment variables, which package internal/fetch creates, list the secrets. README.md
// documents settings, exit codes and permissions.
//
//	fetch [-version]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

// version is set by the linker.
var version = "devel"

func main() {
	os.Exit(run(os.Args[1:], os.Environ(), os.Stdout, os.Stderr, nil))
}

// run is main without os.Exit. A dialer that is not nil makes all connections except gRPC's.
func run(args, environ []string, stdout, stderr io.Writer, dial dialer) int {
	// With GODEBUG, libraries would log traffic.
	log.SetOutput(io.Discard)
	// write sets exact modes; a Pod's fsGroup is inherited.
	syscall.Umask(0)
	s, problems := readSettings(environ)
	fs := flag.NewFlagSet("fetch", flag.ContinueOnError)
	fs.SetOutput(stderr)
	printVersion := fs.Bool("version", false, "write the version to standard output and exit")
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		problems = []problem{{"flags", failure{outcome: badRequest, detail: err.Error()}}}
	case *printVersion:
		fmt.Fprintf(stdout, "fetch %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return 0
	case fs.NArg() > 0:
		problems = []problem{{"flags", failure{outcome: badRequest, detail: "arguments are not allowed"}}}
	}
	if len(problems) == 0 {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		problems = fetch(ctx, s, dial)
	}
	if len(problems) == 0 {
		return 0
	}
	line := message(problems)
	fmt.Fprintln(stderr, "fetch: "+line)
	writeTermination(s.terminationLog, line)
	return int(problems[0].outcome)
}
