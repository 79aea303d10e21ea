/*
Copyright 2026 The RAUTA Authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

package main

import (
	"fmt"
	"path/filepath"
)

const pauseImage = "rauta.dev/local/pause:1"

// writeNodeConfig writes what containerd, its network plugins, kubelet and kube-proxy read at their start.
func writeNodeConfig(p place, bin binaries) error {
	files := map[string]string{
		p.path("containerd.toml"):         containerdConfig(p, bin),
		p.path("cni", "10-pods.conflist"): podNetwork(),
		p.path("kubelet.yaml"):            kubeletConfig(p),
		p.path("kube-proxy.yaml"):         proxyConfig(p),
		p.path("resolv.conf"):             "# the machine's name servers are out of reach from the cluster\n",
	}
	for _, name := range sortedKeys(files) {
		if err := writeFile(name, files[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}

func containerdConfig(p place, bin binaries) string {
	return fmt.Sprintf(`version = 3
root = %[1]q
state = %[2]q

[grpc]
  address = %[3]q

[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = %[4]q

[plugins.'io.containerd.cri.v1.runtime']
  # The machine may lack CAP_SYS_RESOURCE.
  restrict_oom_score_adj = true
  disable_apparmor = true
  tolerate_missing_hugetlb_controller = true
  netns_mounts_under_state_dir = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = [%[5]q]
    conf_dir = %[6]q
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      BinaryName = %[7]q
      SystemdCgroup = false
`, p.path("containerd"), p.path("containerd-state"), p.containerd(), pauseImage,
		filepath.Dir(bin["ptp"]), p.path("cni"), bin["runc"])
}

// proxyConfig: the limit of tracked connections is the whole machine's, and not to be set from another network namespace;
// a short sync period makes a changed Service work at once.
func proxyConfig(p place) string {
	return fmt.Sprintf(`apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: %s}
mode: nftables
clusterCIDR: %s
conntrack: {maxPerCore: 0}
nftables: {minSyncPeriod: 100ms, syncPeriod: 30s}
`, p.kubeconfig("kube-proxy"), podRange)
}

func kubeletConfig(p place) string {
	return fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: %[1]s
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: %[2]s}
authorization: {mode: Webhook}
tlsCertFile: %[3]s
tlsPrivateKeyFile: %[4]s
containerRuntimeEndpoint: unix://%[5]s
cgroupDriver: cgroupfs
cgroupRoot: /%[6]s
failCgroupV1: false
clusterDomain: %[7]s
clusterDNS: [%[8]s]
resolvConf: %[9]s
podLogsDir: %[10]s
volumePluginDir: %[11]s
failSwapOn: false
makeIPTablesUtilChains: false
protectKernelDefaults: false
serializeImagePulls: false
maxPods: 500
kubeAPIQPS: 100
kubeAPIBurst: 200
registryPullQPS: 0
eventRecordQPS: 0
evictionHard:
  memory.available: 0%%
  nodefs.available: 0%%
  nodefs.inodesFree: 0%%
  imagefs.available: 0%%
  imagefs.inodesFree: 0%%
imageGCHighThresholdPercent: 100
`, nodeAddress, p.certificate("ca"), p.certificate("kubelet"), p.key("kubelet"), p.containerd(), p.name,
		clusterDomain, dnsAddress, p.path("resolv.conf"), p.path("var", "log", "pods"), p.path("kubelet", "volume-plugins"))
}
