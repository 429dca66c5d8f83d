package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// announce waits until the server is ready, and then writes the kubeconfig
// atomically.
func announce(ctx context.Context, dir, addr, token string) error {
	ca, err := os.ReadFile(filepath.Join(dir, "apiserver.crt")) // self-signed by kube-apiserver in Complete
	if err != nil {
		return err
	}
	if err := waitReady(ctx, addr, ca, token); err != nil {
		return err
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["kapi"] = &clientcmdapi.Cluster{Server: "https://" + addr, CertificateAuthorityData: ca}
	config.AuthInfos["kapi"] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts["kapi"] = &clientcmdapi.Context{Cluster: "kapi", AuthInfo: "kapi"}
	config.CurrentContext = "kapi"
	unfinished := filepath.Join(dir, ".kubeconfig")
	if err := clientcmd.WriteToFile(*config, unfinished); err != nil {
		return err
	}
	return os.Rename(unfinished, filepath.Join(dir, "kubeconfig"))
}

func waitReady(ctx context.Context, addr string, ca []byte, token string) error {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return fmt.Errorf("cannot parse the server's certificate")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+addr+"/readyz", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	for {
		if response, err := client.Do(request); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(25 * time.Millisecond):
		}
	}
}
