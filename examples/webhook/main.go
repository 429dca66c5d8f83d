// Command webhook injects secrets into Pods as they are created. It serves
// Injector.Review and Injector.Verify with controller-runtime's webhook server, and
// issues its own certificates. README.md describes how to deploy it.
//
//	webhook [-config FILE]... [-flyte 1|2] [-print-config] [-print-selector] [-explain FILE] [-version] [-kubeconfig FILE]
//
// The API server is that of -kubeconfig, else of the variable KUBECONFIG, else of
// the cluster that the process runs in.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	rtdebug "runtime/debug"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
	clientconfig "sigs.k8s.io/controller-runtime/pkg/client/config"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "webhook: "+err.Error())
		os.Exit(1)
	}
}

// run is main without exiting the process.
func run(args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("webhook", flag.ContinueOnError)
	fs.SetOutput(stderr)
	var from source
	fs.Var(&from, "config", "a configuration `file`, a directory or a pattern; may be repeated, and later files override earlier ones; without it, the defaults apply")
	fs.Var(&from.release, "flyte", "the `release` of Flyte, 1 (1.16.8) or 2, that the configuration is written for; without it, the release is detected from the keys")
	printSelector := fs.Bool("print-selector", false, "write the configuration's namespaceSelector to standard output, as patches of the two webhook configurations, and exit")
	printConfig := fs.Bool("print-config", false, "write the effective configuration to standard output and exit")
	explain := fs.String("explain", "", "a `file` with a Pod: write what the Pod would get and which rules allow it, or why it would be refused, and exit")
	version := fs.Bool("version", false, "write the version to standard output and exit")
	clientconfig.RegisterFlags(fs)
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case fs.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case *version:
		_, err := fmt.Fprintln(stdout, buildVersion())
		return err
	}
	cfg, warnings, err := from.load()
	if err != nil {
		return err
	}
	if *printSelector || *printConfig || *explain != "" {
		for _, warning := range warnings { // read by people: no JSON
			fmt.Fprintf(stderr, "warning: %s\n", warning)
		}
	}
	switch {
	case *printSelector:
		return cfg.printSelector(stdout)
	case *printConfig:
		return cfg.print(stdout)
	case *explain != "":
		return cfg.explain(stdout, *explain)
	}
	log := slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: cfg.level()}))
	for _, warning := range warnings {
		log.Warn(warning, "config", from.String())
	}
	ctrl.SetLogger(logr.FromSlogHandler(log.Handler()))
	cluster, err := clientconfig.GetConfig()
	if err != nil {
		return err
	}
	return serve(ctrl.SetupSignalHandler(), &from, cfg, cluster)
}

// buildVersion returns the versions of the module and of Go, and the commit if it
// is known.
func buildVersion() string {
	info, ok := rtdebug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version := info.Main.Version
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			version += " " + setting.Value
		}
	}
	return version + " " + info.GoVersion
}
