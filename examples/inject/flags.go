package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/secret"
)

const usage = `Usage: inject [flags] [file ...]

Writes Kubernetes manifests (YAML or JSON; standard input without a file or for
"-") with secrets injected into Pods and the Pod templates of Deployments,
StatefulSets, DaemonSets, ReplicaSets, ReplicationControllers, Jobs, CronJobs and
PodTemplates; everything else passes through. Requests are those in the Flyte
annotations of the Pod or Pod template, then those in the annotations
request.podsecrets.dev/NAME, then those of -request.

  -request FIELD=VALUE[,FIELD=VALUE...]
        ask for a secret for every Pod and Pod template; may be repeated. The
        annotations request.podsecrets.dev/NAME hold the same text. A field with
        a comma is quoted as in CSV: 'group=g,"key=a,b"'
          group      the secret's group
          key        the key in the group
          version    the version of the group
          mount      ENV_VAR, FILE or ANY (default ANY: the manager chooses)
          env        a variable that holds the value, or the path of a file
          path       the file's path below the directory of secrets, case kept
          field      a field of a value that is a JSON object
          mode       permission bits of the file, octal, such as 0400
          container  the one container that receives it (default all)
  -manager NAME
        a secret manager; may be repeated, in order of precedence. Default: k8s
          k8s     refers to Kubernetes Secrets
          vault   instructs the Vault Agent Injector by annotations
          aws     fetches from AWS Secrets Manager with init containers
          gcp     fetches from Google Secret Manager with init containers
          azure   fetches from Azure Key Vault with init containers
          csi     mounts volumes of the Secrets Store CSI driver
          global  values of this process's environment (FLYTE_SECRET_GROUP_KEY)
                  or files (/etc/secrets/group/key), written in PLAIN TEXT
  -env-files
        allow fetched secrets as variables, by env files. All nodes must have
        Kubernetes 1.35. For vault, and for stores with a -fetch flag
  -k8s-any ENV_VAR|FILE, -k8s-required, -k8s-flyte-scope ORG/DOMAIN/PROJECT
        what requests become that leave the choice (default ENV_VAR); whether
        containers wait for Secrets that are missing; and Flyte 2's names of
        Secrets. An empty part of the scope is the Pod's label, "*" is all
  -vault-role ROLE, -vault-kv-version 1|2, -vault-annotation NAME=VALUE,
  -vault-flavor vault|openbao, -vault-mount PATH
        the role as which agents log in (default flyte), the key-value engine of
        requests without a version (default 2), an annotation for each Pod with
        secrets from Vault, whose injector it is, and the path of a key-value
        engine of version 2; annotations and mounts may be repeated
  -aws-fetch IMAGE, -aws-image IMAGE, -aws-region REGION
        the image of examples/fetch, or another image in the place of the stock
        one; and the region of secrets that are asked for by name
  -gcp-fetch IMAGE, -gcp-image IMAGE, -gcp-project PROJECT
        as for aws; and the project of secrets that are asked for by name
  -azure-fetch IMAGE, -azure-image IMAGE, -azure-vault URL
        as for aws; and a vault, the first of which is that of secrets that are
        asked for by name; may be repeated
  -csi-driver NAME
        the driver (default secrets-store.csi.k8s.io)
  -o yaml|json|patch|plan
        yaml   the manifests (default). Unchanged documents pass through byte for
               byte; changed ones are written anew and lose the comments in them
        json   the manifests as JSON, one document after the other
        patch  a JSON patch for each changed object, one per line
        plan   a table of what would be read where; shows no values
`

type options struct {
	files    []string
	requests []secret.Request
	managers []string
	stores   stores
	write    writer
}

func parseFlags(args []string) (*options, error) {
	o := &options{write: writers["yaml"]}
	fs := flag.NewFlagSet("inject", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // the error that Parse returns says it
	fs.Func("request", "", func(s string) error {
		req, err := parseRequest(s)
		o.requests = append(o.requests, req)
		return err
	})
	fs.Func("manager", "", func(name string) error {
		o.managers = append(o.managers, name)
		_, err := choose(managers, name)
		return err
	})
	o.stores.register(fs)
	fs.Func("o", "", func(name string) (err error) {
		o.write, err = choose(writers, name)
		return err
	})
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if len(o.managers) == 0 {
		o.managers = []string{"k8s"}
	}
	if o.files = fs.Args(); len(o.files) == 0 {
		o.files = []string{"-"}
	}
	return o, o.check(fs)
}

// check finds flags that would have no effect.
func (o *options) check(fs *flag.FlagSet) (err error) {
	set := map[string]bool{}
	fs.Visit(func(f *flag.Flag) {
		set[f.Name] = true
		manager, setting, ok := strings.Cut(f.Name, "-")
		if _, known := managers[manager]; known && ok && err == nil && !slices.Contains(o.managers, manager) {
			err = fmt.Errorf("flag -%s needs -manager %s", f.Name, manager)
		}
		if setting == "image" && set[manager+"-fetch"] && err == nil {
			err = fmt.Errorf("flags -%s-fetch and -%s-image exclude each other", manager, manager)
		}
	})
	if err == nil {
		err = o.stores.check(o.managers)
	}
	stdin := 0
	for _, file := range o.files {
		switch {
		case file == "-":
			stdin++
		case strings.HasPrefix(file, "-"):
			return fmt.Errorf("flag %s must stand before the files", file)
		}
	}
	if stdin > 1 {
		return errors.New("standard input can be read only once")
	}
	return err
}

// injector returns what the options ask for.
func (o *options) injector() (*injector.Injector, error) {
	var cfg injector.Config
	for _, name := range o.managers {
		m, err := managers[name](&o.stores)
		if err != nil {
			return nil, err
		}
		cfg.Managers = append(cfg.Managers, m)
	}
	return injector.New(cfg)
}

// choose returns what has that name, or an error that lists the names.
func choose[T any](from map[string]T, name string) (T, error) {
	chosen, ok := from[name]
	if !ok {
		return chosen, fmt.Errorf("is none of %s", strings.Join(slices.Sorted(maps.Keys(from)), ", "))
	}
	return chosen, nil
}

// parseRequest reads the readable form of a request.
func parseRequest(s string) (secret.Request, error) {
	req, err := secret.Parse(s)
	if err != nil {
		return secret.Request{}, err
	}
	return req, req.Validate()
}
