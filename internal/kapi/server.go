package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"
	"k8s.io/client-go/util/keyutil"
	logsapi "k8s.io/component-base/logs/api/v1"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

// serve runs the API server until the context ends.
func serve(ctx context.Context, dir string, flags []string) error {
	// The server gets an open listener, so that no other process can take the port.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	token := rand.Text()
	if err := writeSecrets(dir, token); err != nil {
		return err
	}
	s, err := configure(dir, listener, flags)
	if err != nil {
		return err
	}
	completed, err := s.Complete(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(completed.Validate()...); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		if err := announce(ctx, dir, listener.Addr().String(), token); err != nil {
			cancel(err)
		}
	}()
	err = app.Run(ctx, completed)
	if cause := context.Cause(ctx); cause != nil && cause != ctx.Err() {
		return cause
	}
	return err
}

// Files in addition to the server's own.
func tokenFile(dir string) string { return filepath.Join(dir, "tokens.csv") }
func keyFile(dir string) string   { return filepath.Join(dir, "sa.key") }

// writeSecrets writes the administrator's token, and the key that signs service
// accounts' tokens.
func writeSecrets(dir, token string) error {
	if err := os.WriteFile(tokenFile(dir), []byte(token+",admin,admin,system:masters\n"), 0o600); err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	pem, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return err
	}
	return os.WriteFile(keyFile(dir), pem, 0o600)
}

// configure handles flags as kube-apiserver's command does. The caller's flags come
// last, because later flags override earlier ones.
func configure(dir string, listener net.Listener, flags []string) (*options.ServerRunOptions, error) {
	s := options.NewServerRunOptions()
	all := pflag.NewFlagSet("kapi", pflag.ContinueOnError)
	for _, set := range s.Flags().FlagSets {
		all.AddFlagSet(set)
	}
	etcd := etcdURL(dir)
	err := all.Parse(append([]string{
		"--etcd-servers=" + etcd.String(),
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", listener.Addr().(*net.TCPAddr).Port),
		"--cert-dir=" + dir,
		"--token-auth-file=" + tokenFile(dir),
		"--authorization-mode=RBAC",
		"--allow-privileged=true",
		"--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=10.0.0.0/16",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + keyFile(dir),
		"--service-account-signing-key-file=" + keyFile(dir),
	}, flags...))
	if err != nil {
		return nil, err
	}
	s.SecureServing.Listener = listener
	s.SecureServing.ExternalAddress = net.IPv4(127, 0, 0, 1) // otherwise the server needs a default route
	// --feature-gates and --emulated-version take effect only here.
	if err := s.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return nil, err
	}
	return s, logsapi.ValidateAndApply(s.Logs, nil)
}
