package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
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
          global  values of this process's environment (FLYTE_SECRET_GROUP_KEY)
                  or files (/etc/secrets/group/key), written in PLAIN TEXT
  -vault-role ROLE, -vault-kv-version 1|2, -vault-annotation NAME=VALUE
        the role as which agents log in (default flyte), the key-value engine of
        requests without a version (default 2), and an annotation for each Pod
        with secrets from Vault; the last may be repeated
  -aws-image IMAGE
        the image that fetches from AWS Secrets Manager
  -o yaml|json|patch|plan
        yaml   the manifests (default). Unchanged documents pass through byte for
               byte; changed ones are written anew and lose the comments in them
        json   the manifests as JSON, one document after the other
        patch  a JSON patch for each changed object, one per line
        plan   a table of what would be read where; shows no values
`

// managers makes a secret manager of each name that -manager takes. The flags
// with its settings begin with that name and a dash.
var managers = map[string]func(*options) (injector.SecretManager, error){
	"aws":    func(o *options) (injector.SecretManager, error) { return awssm.New(o.aws) },
	"global": func(*options) (injector.SecretManager, error) { return global.New(global.Config{}) },
	"k8s":    func(*options) (injector.SecretManager, error) { return k8ssecret.New(k8ssecret.Config{}) },
	"vault":  func(o *options) (injector.SecretManager, error) { return vault.New(o.vault) },
}

type options struct {
	files    []string
	requests []secret.Request
	managers []string
	aws      awssm.Config
	vault    vault.Config
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
	fs.StringVar(&o.vault.Role, "vault-role", "", "")
	fs.StringVar(&o.vault.KVVersion, "vault-kv-version", "", "")
	fs.Func("vault-annotation", "", o.addVaultAnnotation)
	fs.StringVar(&o.aws.Image, "aws-image", "", "")
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
	fs.Visit(func(f *flag.Flag) {
		manager, _, ok := strings.Cut(f.Name, "-")
		if ok && err == nil && !slices.Contains(o.managers, manager) {
			err = fmt.Errorf("flag -%s needs -manager %s", f.Name, manager)
		}
	})
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

func (o *options) addVaultAnnotation(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok {
		return errors.New(`has no "="`)
	}
	if _, ok := o.vault.Annotations[name]; ok {
		return fmt.Errorf("%q is there twice", name)
	}
	if o.vault.Annotations == nil {
		o.vault.Annotations = make(map[string]string)
	}
	o.vault.Annotations[name] = value
	return nil
}

// injector returns what the options ask for.
func (o *options) injector() (*injector.Injector, error) {
	var cfg injector.Config
	for _, name := range o.managers {
		m, err := managers[name](o)
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
