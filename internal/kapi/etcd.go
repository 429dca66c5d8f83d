package main

import (
	"fmt"
	"net/url"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/embed"
)

// etcdURL returns etcd's address: a socket, which needs no port. The kernel limits a
// socket's path to 107 bytes.
func etcdURL(dir string) url.URL {
	return url.URL{Scheme: "unix", Path: filepath.Join(dir, "etcd.sock")}
}

// startEtcd starts a cluster with one member, and waits until it serves. It never
// syncs to disk, because no data outlives the process.
func startEtcd(dir string) (*embed.Etcd, error) {
	peer := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	c := embed.NewConfig()
	c.Dir = filepath.Join(dir, "etcd")
	c.UnsafeNoFsync = true
	c.LogLevel = "error"
	c.ListenClientUrls = []url.URL{etcdURL(dir)}
	c.AdvertiseClientUrls = peer // required, and must not be a socket
	c.ListenPeerUrls, c.AdvertisePeerUrls = peer, peer
	c.InitialCluster = c.InitialClusterFromName(c.Name)
	e, err := embed.StartEtcd(c)
	if err != nil {
		return nil, err
	}
	select {
	case <-e.Server.ReadyNotify():
		return e, nil
	case <-e.Server.StopNotify():
		e.Close()
		return nil, fmt.Errorf("stopped before it was ready")
	case err := <-e.Err():
		e.Close()
		return nil, err
	}
}
