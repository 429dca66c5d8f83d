package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/podsecrets/podsecrets/examples/inject/internal/manifest"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// commands lists the commands with their groups of flags. The default is inject.
var commands = map[string][]func(*options, *flag.FlagSet){
	"inject":     {(*options).inputFlags, (*options).outputFlags, (*options).requestFlags, (*options).injectorFlags},
	"remove":     {(*options).inputFlags, (*options).outputFlags, (*options).requestFlags, (*options).injectorFlags},
	"stamp":      {(*options).inputFlags, (*options).outputFlags, (*options).requestFlags},
	"decode":     {(*options).inputFlags},
	"completion": {},
}

type options struct {
	command string
	files   []string

	recursive, skipUnknown, version bool
	kinds                           manifest.Kinds

	output         string
	inPlace, check bool

	requests   []secret.Request
	managers   []string
	stores     stores
	containers []string
	layout     mount.Layout
	initOrder  mount.InitOrder
	rules      rules
}

func (o *options) inputFlags(fs *flag.FlagSet) {
	o.kinds = manifest.Known()
	fs.BoolVar(&o.recursive, "R", false, "")
	fs.BoolVar(&o.skipUnknown, "skip-unknown", false, "")
	fs.BoolVar(&o.version, "version", false, "")
	fs.Func("template", "", o.kinds.Add)
}

func (o *options) outputFlags(fs *flag.FlagSet) {
	fs.BoolVar(&o.inPlace, "w", false, "")
	fs.BoolVar(&o.check, "check", false, "")
	fs.Func("o", "", func(name string) error {
		o.output = name
		if name == "plan" && o.command != "inject" {
			return errors.New("is only for the command inject")
		}
		_, err := choose(writers, name)
		return err
	})
}

func (o *options) requestFlags(fs *flag.FlagSet) {
	fs.Func("request", "", func(s string) error {
		req, err := parseRequest(s)
		o.requests = append(o.requests, req)
		return err
	})
}

func (o *options) injectorFlags(fs *flag.FlagSet) {
	fs.Func("manager", "", func(name string) error {
		o.managers = append(o.managers, name)
		_, err := choose(managers, name)
		return err
	})
	fs.Func("container", "", appendTo(&o.containers))
	fs.BoolVar(&o.layout.Exact, "exact", false, "")
	fs.StringVar(&o.layout.Dir, "dir", "", "")
	fs.Func("init-order", "", func(name string) (err error) {
		o.initOrder, err = choose(initOrders, name)
		return err
	})
	o.rules.register(fs)
	o.stores.register(fs)
}

var initOrders = map[string]mount.InitOrder{"first": mount.InitFirst, "after-sidecars": mount.InitAfterSidecars}

// parseFlags reads the command line: a command, flags, and files.
func parseFlags(args []string) (*options, error) {
	o := &options{command: "inject"}
	if len(args) > 0 && commands[args[0]] != nil {
		o.command, args = args[0], args[1:]
	}
	fs := flag.NewFlagSet("inject", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // Parse returns the error
	for _, group := range commands[o.command] {
		group(o, fs)
	}
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	o.files = fs.Args()
	if o.command == "completion" || o.version {
		return o, nil
	}
	if len(o.managers) == 0 {
		o.managers = []string{"k8s"}
	}
	if len(o.files) == 0 {
		o.files = []string{"-"}
	}
	return o, o.validate(fs)
}

// validate refuses flags that exclude each other or would have no effect.
func (o *options) validate(fs *flag.FlagSet) (err error) {
	set := map[string]bool{}
	fs.Visit(func(f *flag.Flag) {
		set[f.Name] = true
		manager, setting, ok := strings.Cut(f.Name, "-")
		if f.Name == "required" {
			manager, ok = "k8s", true
		}
		if _, known := managers[manager]; known && ok && err == nil && !slices.Contains(o.managers, manager) {
			err = fmt.Errorf("flag -%s needs -manager %s", f.Name, manager)
		}
		if setting == "image" && set[manager+"-fetch"] && err == nil {
			err = fmt.Errorf("flags -%s-fetch and -%s-image exclude each other", manager, manager)
		}
	})
	switch {
	case err != nil:
		return err
	case o.inPlace && (o.output != "" || o.check):
		return errors.New("flag -w excludes -o and -check")
	case o.check && o.output != "":
		return errors.New("flag -check excludes -o")
	}
	if err := o.stores.check(o.managers); err != nil {
		return err
	}
	stdin := 0
	for _, file := range o.files {
		switch {
		case file == "-":
			stdin++
		case strings.HasPrefix(file, "-"):
			return fmt.Errorf("flag %s must precede the files", file)
		}
	}
	switch {
	case stdin > 1:
		return errors.New("standard input can be read only once")
	case stdin > 0 && o.inPlace:
		return errors.New("flag -w needs files: standard input cannot be written in place")
	}
	return nil
}

// injector returns an Injector with the options.
func (o *options) injector() (*injector.Injector, error) {
	cfg := injector.Config{Layout: o.layout, InitOrder: o.initOrder, Allow: o.rules.allow()}
	if len(o.containers) > 0 {
		cfg.Containers = func(c mount.Container) bool { return slices.Contains(o.containers, c.Name) }
	}
	for _, name := range o.managers {
		m, err := managers[name](&o.stores)
		if err != nil {
			return nil, err
		}
		cfg.Managers = append(cfg.Managers, m)
	}
	return injector.New(cfg)
}

// tool returns the tool that runs the command.
func (o *options) tool(stderr io.Writer) (*tool, error) {
	t := &tool{kinds: o.kinds, requests: o.requests, skip: failure, output: o.outcome(), progress: newProgress(stderr)}
	if o.skipUnknown {
		t.skip = warning
	}
	switch o.command {
	case "stamp":
		t.act = stamp(o.requests)
		return t, nil
	case "decode":
		t.act = decode
		return t, nil
	}
	in, err := o.injector()
	if err != nil {
		return nil, err
	}
	if t.act = inject(in, o.requests, &o.rules); o.command == "remove" {
		t.act = remove(in, o.requests)
	}
	return t, nil
}

// outcome returns the name of the output.
func (o *options) outcome() string {
	switch {
	case o.check || o.command == "decode":
		return outputList
	case o.output == "":
		return outputYAML
	}
	return o.output
}

func (o *options) writer() writer {
	if o.command == "decode" {
		return writeRequests
	}
	return writers[o.outcome()]
}

// choose returns the entry of that name, or an error that lists the names.
func choose[T any](from map[string]T, name string) (T, error) {
	chosen, ok := from[name]
	if !ok {
		return chosen, fmt.Errorf("is not one of %s", strings.Join(slices.Sorted(maps.Keys(from)), ", "))
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

// version describes this build.
func version() string {
	build, ok := debug.ReadBuildInfo()
	if !ok || build.Main.Version == "" {
		return "inject (unknown version)\n"
	}
	return fmt.Sprintf("inject %s (%s)\n", build.Main.Version, build.GoVersion)
}
