package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// choices lists the values of flags with few values.
func choices() map[string][]string {
	return map[string][]string{
		"o":                slices.Sorted(maps.Keys(writers)),
		"manager":          slices.Sorted(maps.Keys(managers)),
		"init-order":       slices.Sorted(maps.Keys(initOrders)),
		"k8s-any":          {"ENV_VAR", "FILE"},
		"vault-flavor":     slices.Sorted(maps.Keys(flavors)),
		"vault-kv-version": {"1", "2"},
	}
}

// flagNames returns the flags of a command.
func flagNames(command string) (names []string) {
	fs := flag.NewFlagSet(command, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	o := &options{command: command}
	for _, group := range commands[command] {
		group(o, fs)
	}
	fs.VisitAll(func(f *flag.Flag) { names = append(names, "-"+f.Name) })
	return names
}

// shells writes the script of each shell.
var shells = map[string]func(*bytes.Buffer){"bash": bash, "zsh": zsh, "fish": fish}

func completion(out *bytes.Buffer, args []string) (exit int, err error) {
	if len(args) != 1 {
		return exitUsage, errors.New("completion needs one shell: bash, zsh or fish")
	}
	script, err := choose(shells, args[0])
	if err != nil {
		return exitUsage, fmt.Errorf("completion: %q %w", args[0], err)
	}
	script(out)
	return exitOK, nil
}

// bash writes a function that completes commands, flags, flag values, and files.
func bash(out *bytes.Buffer) {
	out.WriteString(`# source <(inject completion bash)
_inject() {
    local current=$2 previous=$3 command=${COMP_WORDS[1]} words=
    COMPREPLY=()
    case $previous in
`)
	for _, name := range slices.Sorted(maps.Keys(choices())) {
		fmt.Fprintf(out, "    -%s) COMPREPLY=($(compgen -W '%s' -- \"$current\")); return ;;\n", name, strings.Join(choices()[name], " "))
	}
	out.WriteString("    esac\n    case $command in\n")
	for _, command := range slices.Sorted(maps.Keys(commands)) {
		words := strings.Join(flagNames(command), " ")
		switch command {
		case "completion":
			words = "bash fish zsh"
		case "inject":
			continue
		}
		fmt.Fprintf(out, "    %s) words='%s' ;;\n", command, words)
	}
	fmt.Fprintf(out, "    *) words='%s' ;;\n    esac\n", strings.Join(flagNames("inject"), " "))
	fmt.Fprintf(out, `    if [ "$COMP_CWORD" -eq 1 ]; then words="%s $words"; fi
    COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current"))
}
complete -o filenames -F _inject inject
`, strings.Join(slices.Sorted(maps.Keys(commands)), " "))
}

// zsh uses bash's function.
func zsh(out *bytes.Buffer) {
	out.WriteString("#compdef inject\n# source <(inject completion zsh)\nautoload -U +X bashcompinit && bashcompinit\n")
	bash(out)
}

func fish(out *bytes.Buffer) {
	out.WriteString("# inject completion fish | source\n")
	names := strings.Join(slices.Sorted(maps.Keys(commands)), " ")
	fmt.Fprintf(out, "complete -c inject -n '__fish_is_first_arg' -a '%s'\n", names)
	out.WriteString("complete -c inject -f -n '__fish_seen_subcommand_from completion' -a 'bash fish zsh'\n")
	values := choices()
	for _, name := range flagNames("inject") {
		name = name[1:]
		if list, ok := values[name]; ok {
			fmt.Fprintf(out, "complete -c inject -o %s -x -a '%s'\n", name, strings.Join(list, " "))
			continue
		}
		fmt.Fprintf(out, "complete -c inject -o %s\n", name)
	}
}
