// Command webhook injects secrets into Pods as they are created: the library's
// Injector.Review behind controller-runtime's webhook server, with certificates
// of its own making. README.md says how to deploy it.
//
//	webhook [-config FILE]... [-flyte 1|2] [-print-config] [-print-selector] [-kubeconfig FILE]
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
	printSelector := fs.Bool("print-selector", false, "write the namespaceSelector of the configuration to standard output, as a patch of the MutatingWebhookConfiguration, and exit")
	printConfig := fs.Bool("print-config", false, "write the effective configuration to standard output and exit")
	clientconfig.RegisterFlags(fs)
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case fs.NArg() > 0:
		return fmt.Errorf("%q is no flag", fs.Arg(0))
	}
	cfg, warnings, err := from.load()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: cfg.level()}))
	for _, warning := range warnings {
		log.Warn(warning, "config", from.String())
	}
	if *printSelector {
		return cfg.printSelector(stdout)
	}
	if *printConfig {
		return cfg.print(stdout)
	}
	ctrl.SetLogger(logr.FromSlogHandler(log.Handler()))
	cluster, err := clientconfig.GetConfig()
	if err != nil {
		return err
	}
	return serve(ctrl.SetupSignalHandler(), cfg, cluster)
}
