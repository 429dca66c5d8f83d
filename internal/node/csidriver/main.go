//go:build linux

// Command csidriver models the Secrets Store CSI driver: it registers with the kubelet
// under the same name, and serves inline volumes with the files of a
// SecretProviderClass. It reads the files from standard input as JSON: contents by
// class and path. As with the real driver, mounting an unknown class fails.
//
//	csidriver KUBELET-DIR
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

const name = "secrets-store.csi.k8s.io"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: csidriver KUBELET-DIR")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "csidriver:", err)
		os.Exit(1)
	}
}

func run(kubelet string) error {
	d := &driver{}
	if err := json.NewDecoder(os.Stdin).Decode(&d.classes); err != nil {
		return err
	}
	endpoint := filepath.Join(kubelet, "plugins", name, "csi.sock")
	ended := make(chan error)
	for socket, register := range map[string]func(*grpc.Server){
		endpoint: func(s *grpc.Server) {
			csi.RegisterIdentityServer(s, d)
			csi.RegisterNodeServer(s, d)
		},
		filepath.Join(kubelet, "plugins_registry", name+"-reg.sock"): func(s *grpc.Server) {
			registration.RegisterRegistrationServer(s, &registrar{endpoint: endpoint})
		},
	} {
		if err := serve(socket, register, ended); err != nil {
			return err
		}
	}
	return <-ended
}

func serve(socket string, register func(*grpc.Server), ended chan<- error) error {
	if err := os.MkdirAll(filepath.Dir(socket), 0o750); err != nil {
		return err
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	s := grpc.NewServer()
	register(s)
	go func() { ended <- s.Serve(l) }()
	return nil
}

// registrar registers the driver's endpoint with the kubelet.
type registrar struct {
	registration.UnimplementedRegistrationServer
	endpoint string
}

func (r *registrar) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return &registration.PluginInfo{
		Type: registration.CSIPlugin, Name: name, Endpoint: r.endpoint, SupportedVersions: []string{"1.0.0"},
	}, nil
}

func (r *registrar) NotifyRegistrationStatus(_ context.Context, s *registration.RegistrationStatus) (*registration.RegistrationStatusResponse, error) {
	if !s.PluginRegistered {
		return nil, errors.New(s.Error)
	}
	return &registration.RegistrationStatusResponse{}, nil
}
