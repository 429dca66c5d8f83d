//go:build linux

// Command cni is a CNI plugin without a network: it sets up the loopback interface of
// the Pod's network namespace, and reports an unused address. containerd requires a
// plugin "loopback" and one that gives eth0 an address; this is both.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

func main() {
	var conf struct {
		CNIVersion string `json:"cniVersion"`
		Type       string `json:"type"`
	}
	raw, _ := io.ReadAll(os.Stdin)
	_ = json.Unmarshal(raw, &conf) // VERSION has no input
	switch os.Getenv("CNI_COMMAND") {
	case "VERSION":
		fmt.Println(`{"cniVersion":"1.0.0","supportedVersions":["0.3.0","0.3.1","0.4.0","1.0.0"]}`)
	case "ADD":
		name, address := os.Getenv("CNI_IFNAME"), "198.51.100.1/24"
		if conf.Type == "loopback" {
			address = "127.0.0.1/8"
			if err := loopbackUp(os.Getenv("CNI_NETNS")); err != nil {
				fmt.Printf(`{"cniVersion":%q,"code":100,"msg":%q}`+"\n", conf.CNIVersion, err.Error())
				os.Exit(1)
			}
		}
		version := `"version":"4",` // required before 1.0.0, not allowed since
		if conf.CNIVersion >= "1" {
			version = ""
		}
		fmt.Printf(`{"cniVersion":%q,"interfaces":[{"name":%q,"sandbox":%q}],"ips":[{%s"address":%q,"interface":0}]}`+"\n",
			conf.CNIVersion, name, os.Getenv("CNI_NETNS"), version, address)
	}
}

// loopbackUp enables the interface lo in the network namespace of the file.
func loopbackUp(file string) error {
	runtime.LockOSThread()
	ns, err := os.Open(file) // #nosec G304 G703 -- containerd's
	if err != nil {
		return err
	}
	defer ns.Close()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil { // #nosec G115 -- a descriptor is small
		return fmt.Errorf("setns %s: %w", file, err)
	}
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
}
