// Command operator runs Tasks as Jobs with secrets, without a webhook.
package main

import (
	"errors"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/podsecrets/podsecrets/examples/operator/api"
	"github.com/podsecrets/podsecrets/examples/operator/controller"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
)

func main() {
	ctrl.SetLogger(zap.New())
	if err := run(); err != nil {
		ctrl.Log.Error(err, "stopped")
		os.Exit(1)
	}
}

func run() error {
	hashKey := os.Getenv("HASH_KEY")
	if len(hashKey) < 32 {
		return errors.New("HASH_KEY: has fewer than 32 characters")
	}
	// Required: a Pod waits for its Secret, as its Task does.
	secrets, err := k8ssecret.New(k8ssecret.Config{Required: true})
	if err != nil {
		return err
	}
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{secrets}, Layout: controller.Layout})
	if err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return err
	}
	if err := api.SchemeBuilder.AddToScheme(scheme); err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{Scheme: scheme, HealthProbeBindAddress: ":8081"})
	if err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	tasks := &controller.Reconciler{
		Client: mgr.GetClient(), Secrets: mgr.GetAPIReader(),
		Injector: in, HashKey: []byte(hashKey),
	}
	if err := tasks.SetupWithManager(mgr); err != nil {
		return err
	}
	return mgr.Start(ctrl.SetupSignalHandler())
}
