// Package deployed runs the binary of examples/webhook in an API server for
// tests, as its manifests deploy it.
//
// The manifests of examples/webhook/deploy are rendered with kustomize and
// applied as they ship, and each replica has the rights of their ServiceAccount,
// by a token of it, and the configuration of their ConfigMap. What a cluster's
// nodes would do is done here instead:
//
//   - A replica is a process (Replica), and so has ports and a folder of its own
//     in its configuration.
//   - What kube-proxy does, a small TCP balancer does: it gives each connection
//     to a replica whose readiness probe succeeds. The Service is of type
//     ExternalName and leads to it.
//   - Waiting times that are for the size of a real cluster are shorter.
package deployed

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/podsecrets/podsecrets/internal/e2e/apiserver"
)

// The names in the manifests.
const (
	Namespace     = "podsecrets-system"
	Name          = "podsecrets-webhook" // of Service, ServiceAccount, Deployment
	Secret        = "podsecrets-webhook-tls"
	Configuration = "0-podsecrets"
	Validating    = "podsecrets"
)

// Options say in what a deployment differs from the one that ships.
type Options struct {
	// Replicas is how many processes there are. Zero means one.
	Replicas int
	// Config has settings that take the place of those in config.yaml; nil removes
	// one.
	Config map[string]any
	// Files are configurations that come before that one, such as Flyte's.
	Files []string
	// Env are further variables of the processes, "NAME=value".
	Env []string
}

// Webhook is a deployed webhook.
type Webhook struct {
	Replicas []*Replica
	// Warnings is what the API server remarked on the manifests.
	Warnings []string

	balancer *balancer
	dir      string
}

// Start deploys the webhook and returns when the API server calls it. There can
// be one in an API server.
func Start(ctx context.Context, server *apiserver.Server, o Options) (*Webhook, error) {
	w := &Webhook{}
	if err := w.start(ctx, server, o); err != nil {
		return nil, errors.Join(fmt.Errorf("deploying the webhook: %w", err), w.Stop())
	}
	return w, nil
}

func (w *Webhook) start(ctx context.Context, server *apiserver.Server, o Options) (err error) {
	binary, err := Binary()
	if err != nil {
		return err
	}
	if w.dir, err = os.MkdirTemp("", "webhook"); err != nil {
		return err
	}
	if w.balancer, err = newBalancer(); err != nil {
		return err
	}
	config, err := w.apply(ctx, server.Config)
	if err != nil {
		return err
	}
	maps.Copy(config, o.Config)
	maps.DeleteFunc(config, func(_ string, value any) bool { return value == nil })
	kubeconfig := filepath.Join(w.dir, "kubeconfig")
	if err := writeKubeconfig(ctx, server.Config, kubeconfig); err != nil {
		return err
	}
	for i := range max(o.Replicas, 1) {
		r := &Replica{binary: binary, kubeconfig: kubeconfig, config: config, files: o.Files, env: o.Env, dir: filepath.Join(w.dir, fmt.Sprint(i))}
		w.Replicas = append(w.Replicas, r)
		if err := r.Start(); err != nil {
			return err
		}
	}
	w.Use(w.Replicas...)
	for _, r := range w.Replicas {
		if err := r.WaitReady(ctx); err != nil {
			return err
		}
	}
	return waitCalled(ctx, server)
}

// Use has the balancer choose among these replicas only. Connections to others
// are closed, as when they are gone.
func (w *Webhook) Use(replicas ...*Replica) { w.balancer.use(replicas) }

// ProbeEvery sets the time between readiness probes. Tests of failing replicas need
// a short one; benchmarks need one as long as the kubelet's.
func (w *Webhook) ProbeEvery(period time.Duration) { w.balancer.period.Store(int64(period)) }

// Stop ends all processes and removes their files. The objects in the API server
// stay.
func (w *Webhook) Stop() error {
	for _, r := range w.Replicas {
		r.Kill()
	}
	if w.balancer != nil {
		w.balancer.close()
	}
	return os.RemoveAll(w.dir)
}

// Binary returns the name of the webhook's binary: the variable WEBHOOK_BIN, or
// else bin/webhook in the root of the repository.
func Binary() (string, error) {
	binary := os.Getenv("WEBHOOK_BIN")
	if binary == "" {
		root, err := apiserver.Root()
		if err != nil {
			return "", err
		}
		binary = filepath.Join(root, "bin", "webhook")
	}
	if _, err := os.Stat(binary); err != nil {
		return "", fmt.Errorf("the webhook's binary is missing: run \"make bin/webhook\" in the root of the repository, or name it in WEBHOOK_BIN: %w", err)
	}
	return binary, nil
}
