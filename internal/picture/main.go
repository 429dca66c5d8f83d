// Command picture draws docs/pod.svg: a Pod before and after injection.
//
//	picture -pod examples/inject/samples/pod.yaml -svg docs/pod.svg
//
// It injects into the Pod with the library, and highlights what was added.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/secret"
)

func main() {
	pod := flag.String("pod", "examples/inject/samples/pod.yaml", "the `file` with the Pod, whose annotations have requests")
	svg := flag.String("svg", "docs/pod.svg", "the `file` to write")
	flag.Parse()
	if err := run(*pod, *svg); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func run(pod, svg string) error {
	text, err := picture(pod)
	if err != nil {
		return err
	}
	return os.WriteFile(svg, []byte(text), 0o600)
}

// picture returns the SVG for the Pod in a file.
func picture(file string) (string, error) {
	before, after, requests, err := inject(file)
	if err != nil {
		return "", err
	}
	labels, shapes := layOut(cardsOf(before, before, requests), cardsOf(after, before, requests))
	return page(labels, shapes), nil
}

func inject(file string) (before, after *corev1.Pod, requests []secret.Request, err error) {
	text, err := os.ReadFile(file) // #nosec G304 -- the file that the flag names
	if err != nil {
		return nil, nil, nil, err
	}
	before = new(corev1.Pod)
	if err := yaml.Unmarshal(text, before); err != nil {
		return nil, nil, nil, err
	}
	requests, err = secret.DecodeAnnotations(before.Annotations)
	if err != nil {
		return nil, nil, nil, err
	}
	manager, err := k8ssecret.New(k8ssecret.Config{})
	if err != nil {
		return nil, nil, nil, err
	}
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{manager}})
	if err != nil {
		return nil, nil, nil, err
	}
	after, err = in.Inject(context.Background(), before, requests...)
	return before, after, requests, err
}
