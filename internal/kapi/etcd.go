package main

import (
	"fmt"
	"net/url"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/embed"
)

// etcdURL is where etcd listens: a socket, as that needs no port. The kernel
// allows a socket's path 107 bytes.
func etcdURL(dir string) url.URL {
	return url.URL{Scheme: "unix", Path: filepath.Join(dir, "etcd.sock")}
}

// startEtcd starts a cluster of one member, and returns when it serves. It never
// waits for the disk, as nothing in it outlives the process.
func startEtcd(dir string) (*embed.Etcd, error) {
	peer := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	c := embed.NewConfig()
	c.Dir = filepath.Join(dir, "etcd")
	c.UnsafeNoFsync = true
	c.LogLevel = "error"
	c.ListenClientUrls = []url.URL{etcdURL(dir)}
	c.AdvertiseClientUrls = peer // must be set, and a socket is refused
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
		return nil, fmt.Errorf("it stopped before it was ready")
	case err := <-e.Err():
		e.Close()
		return nil, err
	}
}
