//go:build linux

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// configure writes the configurations of containerd, of its network and of the
// kubelet. In these, @N@ is the directory in memory, @DIR@ the one visible from
// outside, and @CGROUP@ the control group.
func (n *node) configure() error {
	for _, d := range []string{"cni/bin", "cni/conf", "plugins"} {
		err := os.MkdirAll(filepath.Join(n.n, d), 0o755) // #nosec G301 -- other users need access
		if err != nil {
			return err
		}
	}
	var errs []error
	for _, name := range []string{"loopback", "nothing"} {
		errs = append(errs, os.Symlink(filepath.Join(n.bin, "cni"), filepath.Join(n.n, "cni/bin", name)))
	}
	values := strings.NewReplacer("@N@", n.n, "@DIR@", n.dir, "@CGROUP@", cgroup(n.dir))
	for name, text := range configs {
		errs = append(errs, os.WriteFile(filepath.Join(n.n, name), []byte(values.Replace(text)), 0o600))
	}
	return errors.Join(errs...)
}

var configs = map[string]string{
	"cni/conf/10-nothing.conf": `{"cniVersion":"0.3.1","name":"nothing","type":"nothing"}`,
	"containerd.toml":          containerdConfig,
	"kubelet.yaml":             kubeletConfig,
}

const containerdConfig = `version = 2
root = "@N@/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "@N@/containerd.sock"
[ttrpc]
  address = "@N@/containerd.sock.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
  path = "@N@/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "podsecrets.test/pause:1"
  restrict_oom_score_adj = true # lowering it needs CAP_SYS_RESOURCE
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "@N@/cni/bin"
    conf_dir = "@N@/cni/conf"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
`

// The kubelet opens no port, evicts nothing, and does not change the machine. It syncs
// its Pods every five seconds, so that files follow Secrets soon.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix://@N@/containerd.sock
podLogsDir: @DIR@/log/pods
volumePluginDir: @N@/plugins
cgroupDriver: cgroupfs
cgroupRoot: @CGROUP@
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
protectKernelDefaults: true
makeIPTablesUtilChains: false
enableServer: false
healthzPort: 0
oomScoreAdj: 0
authentication: {anonymous: {enabled: false}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
enableControllerAttachDetach: false
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: "0%", nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%", imagefs.inodesFree: "0%", pid.available: "0%"}
registryPullQPS: 0
eventRecordQPS: 0
kubeAPIQPS: 1000
kubeAPIBurst: 1000
syncFrequency: 5s
resolvConf: ""
clusterDomain: cluster.local
clusterDNS: [198.51.100.2]
maxPods: 500
`
