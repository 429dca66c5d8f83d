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

// errRefused is returned by explain if the Pod would be refused.
var errRefused = errors.New("the pod would be refused")

// explain writes which rules allow the requests of the Pod in the file and what its
// containers get, or why the Pod would be refused. Unlike a review, it trusts the
// namespace in the Pod.
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
	text, err := os.ReadFile(file) // #nosec G304 -- the file named by the flag
	if err != nil {
		return nil, nil, err // names the file
	}
	var pod corev1.Pod
	if err := yaml.UnmarshalStrict(text, &pod); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	if pod.Kind != "Pod" {
		return nil, nil, fmt.Errorf("%s: kind %q must be Pod", file, pod.Kind)
	}
	if pod.Namespace == "" {
		pod.Namespace = corev1.NamespaceDefault
	}
	reqs, err := secret.DecodeAnnotations(pod.Annotations)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(reqs) == 0 {
		return nil, nil, fmt.Errorf("%s: the pod's annotations request no secret", file)
	}
	return &pod, reqs, nil
}

// byRequest splits an error of Plan into errors of single requests and others.
func byRequest(err error) (failures map[secret.Request][]error, others []error) {
	failures = make(map[secret.Request][]error)
	for _, err := range split(err) {
		var failed *injector.RequestError
		switch {
		case err == nil:
		case errors.As(err, &failed):
			failures[failed.Request] = append(failures[failed.Request], failed)
		default:
			others = append(others, err)
		}
	}
	return failures, others
}
