// Package deployed runs the binary of examples/webhook with an API server for
// tests, as its manifests deploy it.
//
// The manifests of examples/webhook/deploy are rendered with kustomize and applied
// unchanged, but for the Service. Each replica has a token of their ServiceAccount
// and the configuration of their ConfigMap. There are no nodes, so three things
// differ:
//
//   - A replica is a process (Replica), whose configuration has its own ports and
//     directory.
//   - A small TCP balancer replaces kube-proxy: it assigns each connection to a
//     replica whose readiness probe succeeds. The Service has type ExternalName
//     and refers to the balancer.
//   - Delays meant for real clusters are shorter.
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
	Name          = "podsecrets-webhook" // of the Service, the ServiceAccount and the Deployment
	Secret        = "podsecrets-webhook-tls"
	Configuration = "0-podsecrets"
	Validating    = "podsecrets"
)

// Options are the differences from the manifests.
type Options struct {
	// Replicas is the number of processes. Zero means one.
	Replicas int
	// Config has settings that replace those in config.yaml. Nil removes a setting.
	Config map[string]any
	// Files are configuration files before that one, such as Flyte's.
	Files []string
	// Env has variables of the processes, "NAME=value".
	Env []string
}

// FlyteOptions returns the options that run a ConfigMap of Flyte's charts, one of
// examples/webhook/testdata/flyte/configmaps by its name, followed by more
// configuration files.
func FlyteOptions(chart string, files ...string) (Options, error) {
	root, err := apiserver.Root()
	configMap := filepath.Join(root, "examples", "webhook", "testdata", "flyte", "configmaps", chart+".yaml")
	return Options{
		Config: map[string]any{"managers": nil, "drain": "0s"},
		Files:  append([]string{configMap}, files...),
	}, err
}

// Webhook is a deployed webhook.
type Webhook struct {
	Replicas []*Replica
	// Warnings are the API server's warnings about the manifests.
	Warnings []string

	balancer *balancer
	dir      string
}

// Start deploys the webhook and waits until the API server calls it. An API server
// can have one deployment.
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

// Use limits the balancer to the replicas, and closes connections to others.
func (w *Webhook) Use(replicas ...*Replica) { w.balancer.use(replicas) }

// ProbeEvery sets the time between readiness probes. Tests of failing replicas need
// a short one; benchmarks need one as long as the kubelet's.
func (w *Webhook) ProbeEvery(period time.Duration) { w.balancer.period.Store(int64(period)) }

// Stop kills all processes and removes their files. The objects in the API server
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

// Binary returns the path of the webhook's binary: that in the variable WEBHOOK_BIN,
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
		return "", fmt.Errorf("the webhook's binary is missing: run \"make bin/webhook\" in the root of the repository, or set WEBHOOK_BIN: %w", err)
	}
	return binary, nil
}
