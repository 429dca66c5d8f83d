package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/podsecrets/podsecrets/internal/e2e/apiserver"
	"github.com/podsecrets/podsecrets/internal/e2e/deployed"
	"github.com/podsecrets/podsecrets/internal/vaulttest"
)

var update = flag.Bool("update", false, "write the golden files")

// All tests share these. Each test restores its changes.
var (
	server    *apiserver.Server
	hook      *deployed.Webhook
	client    *kubernetes.Clientset
	anyClient dynamic.Interface // for fields unknown to this build's k8s.io/api
)

// shared is the global secret in the replicas' environment.
const shared = "glob@l $(HOME) $$ value"

// everyManager is a configuration with all managers, in an order that reaches each.
var everyManager = map[string]any{
	"managers": []string{"global", "aws", "k8s", "vault"},
	"drain":    "1s",
	// Verify requires nothing in it.
	"lateContainers": []string{"mesh"},
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	vaulttest.Isolate()
	dir, err := os.MkdirTemp("", "clients")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	clientCA, admission, err := writeClients(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	everyManager["clientCA"] = clientCA
	flags := []string{"--admission-control-config-file=" + admission}
	minor, err := apiserver.Minor()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	flags = append(flags, newFieldFlags(minor)...)
	if server, err = apiserver.Start(flags...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer server.Stop()
	client = kubernetes.NewForConfigOrDie(server.Config)
	anyClient = dynamic.NewForConfigOrDie(server.Config)
	hook, err = deployed.Start(context.Background(), server, deployed.Options{
		Replicas: 2,
		Config:   everyManager,
		Env:      []string{"FLYTE_SECRET_SHARED_TOKEN=" + shared, "FLYTE_SECRET_SHARED_BROKEN=\xff"},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer hook.Stop()
	return m.Run()
}
