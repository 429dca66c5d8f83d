package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// errRefused says that the explained Pod would be refused.
var errRefused = errors.New("the pod would be refused")

// explain tells, of a file with a Pod, which rule allows each of its requests and
// what its containers get, or why not. It takes the Pod's own word for its
// namespace, which a review never does.
func (cfg *config) explain(w io.Writer, file string) error {
	pod, reqs, err := readPod(file)
	if err != nil {
		return err
	}
	decisions := make(map[secret.Request][]string)
	in, err := cfg.injector(func(m injector.SecretManager) injector.SecretManager { return m }, func(a injector.Access, err error) {
		if err != nil {
			decisions[a.Request] = append(decisions[a.Request], asConfigured(err))
			return
		}
		decisions[a.Request] = append(decisions[a.Request], fmt.Sprintf("%v: allowed by allow[%d]", a, cfg.Allow.rules().Find(a)))
	})
	if err != nil {
		return err
	}
	plan, refused := in.For(pod.Namespace).Plan(context.Background(), pod, reqs...)
	failures, others := byRequest(refused)
	for i, req := range reqs {
		fmt.Fprintf(w, "secret %v\n", req)
		for _, decision := range decisions[req] {
			fmt.Fprintf(w, "  %s\n", decision)
		}
		for _, failure := range failures[req] {
			fmt.Fprintf(w, "  refused: %v\n", failure)
		}
		if plan != nil {
			fmt.Fprintf(w, "  %s\n", placed(&plan.Placements[i]))
		}
	}
	for _, err := range others {
		fmt.Fprintf(w, "refused: %v\n", err)
	}
	if refused != nil {
		return errRefused
	}
	return nil
}

func placed(p *injector.Placement) string {
	where := "variable " + p.EnvVar
	if p.Mount == mount.File {
		where = "file " + p.Path
	}
	return fmt.Sprintf("manager %s: %s of %s", p.Manager, where, strings.Join(p.Containers, ", "))
}

func readPod(file string) (*corev1.Pod, []secret.Request, error) {
	text, err := os.ReadFile(file) // #nosec G304 -- the file that the flag names
	if err != nil {
		return nil, nil, err // names the file
	}
	var pod corev1.Pod
	if err := yaml.UnmarshalStrict(text, &pod); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	if pod.Kind != "Pod" {
		return nil, nil, fmt.Errorf("%s: kind %q is not Pod", file, pod.Kind)
	}
	if pod.Namespace == "" {
		pod.Namespace = corev1.NamespaceDefault
	}
	reqs, err := secret.DecodeAnnotations(pod.Annotations)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(reqs) == 0 {
		return nil, nil, fmt.Errorf("%s: the pod's annotations ask for no secret", file)
	}
	return &pod, reqs, nil
}

// byRequest sorts what Plan reports.
func byRequest(err error) (of map[secret.Request][]error, others []error) {
	of = make(map[secret.Request][]error)
	for _, err := range split(err) {
		var failed *injector.RequestError
		switch {
		case err == nil:
		case errors.As(err, &failed):
			of[failed.Request] = append(of[failed.Request], failed)
		default:
			others = append(others, err)
		}
	}
	return of, others
}
