// Command webhook injects secrets into Pods as they are created: the library's
// Injector.Review behind controller-runtime's webhook server, with certificates
// of its own making. README.md says how to deploy it.
//
//	webhook [-config FILE]... [-flyte 1|2] [-print-config] [-print-selector] [-explain FILE] [-version] [-kubeconfig FILE]
//
// It speaks to the API server of -kubeconfig, of the variable KUBECONFIG, or of
// the cluster that it runs in, in this order.
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

// run is main for tests.
func run(args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("webhook", flag.ContinueOnError)
	fs.SetOutput(stderr)
	var from source
	fs.Var(&from, "config", "a `file` with the configuration, a directory or a pattern; again for further ones, which have precedence; without it, the defaults")
	fs.Var(&from.release, "flyte", "the `release` of Flyte, 1 (1.16.8) or 2, whose configuration it is; without it, its keys tell")
	printSelector := fs.Bool("print-selector", false, "write the namespaceSelector of the configuration to standard output, as patches of the two webhook configurations, and exit")
	printConfig := fs.Bool("print-config", false, "write the effective configuration to standard output and exit")
	explain := fs.String("explain", "", "a `file` with a Pod: write what it would get and which rule allows it, or why it would be refused, and exit")
	version := fs.Bool("version", false, "write the version to standard output and exit")
	clientconfig.RegisterFlags(fs)
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case fs.NArg() > 0:
		return fmt.Errorf("%q is no flag", fs.Arg(0))
	case *version:
		_, err := fmt.Fprintln(stdout, buildVersion())
		return err
	}
	cfg, warnings, err := from.load()
	if err != nil {
		return err
	}
	if *printSelector || *printConfig || *explain != "" {
		for _, warning := range warnings { // for people, and so plain
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

// buildVersion is the module's version, or the commit that it is built from.
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
