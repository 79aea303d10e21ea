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

import "path/filepath"

// process is one long-running program of the cluster.
type process struct {
	name string
	path string
	args []string
}

func etcdProcess(p place, bin binaries) process {
	return process{"etcd", bin["etcd"], []string{
		"--name=" + nodeName,
		"--data-dir=" + p.path("etcd"),
		"--listen-client-urls=http://127.0.0.1:2379",
		"--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380",
		"--initial-advertise-peer-urls=http://127.0.0.1:2380",
		"--initial-cluster=" + nodeName + "=http://127.0.0.1:2380",
		// The data need not survive the machine, and waiting for disks is most of what etcd does.
		"--unsafe-no-fsync",
		"--log-level=warn",
	}}
}

func apiServerProcess(p place, bin binaries) process {
	return process{"kube-apiserver", bin["kube-apiserver"], []string{
		"--advertise-address=" + nodeAddress,
		"--secure-port=6443",
		"--etcd-servers=http://127.0.0.1:2379",
		"--service-cluster-ip-range=" + serviceRange,
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--client-ca-file=" + p.certificate("ca"),
		"--tls-cert-file=" + p.certificate("apiserver"),
		"--tls-private-key-file=" + p.key("apiserver"),
		"--kubelet-certificate-authority=" + p.certificate("ca"),
		"--kubelet-client-certificate=" + p.certificate("apiserver-kubelet-client"),
		"--kubelet-client-key=" + p.key("apiserver-kubelet-client"),
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc." + clusterDomain,
		"--service-account-key-file=" + p.path("pki", "service-account.pub"),
		"--service-account-signing-key-file=" + p.key("service-account"),
		"--event-ttl=1h",
		"--profiling=false",
	}}
}

func controllerManagerProcess(p place, bin binaries) process {
	config := p.kubeconfig("controller-manager")
	return process{"kube-controller-manager", bin["kube-controller-manager"], []string{
		"--kubeconfig=" + config,
		"--authentication-kubeconfig=" + config,
		"--authorization-kubeconfig=" + config,
		"--bind-address=127.0.0.1",
		"--cluster-signing-cert-file=" + p.certificate("ca"),
		"--cluster-signing-key-file=" + p.key("ca"),
		"--root-ca-file=" + p.certificate("ca"),
		"--service-account-private-key-file=" + p.key("service-account"),
		"--use-service-account-credentials=true",
		"--leader-elect=false",
		"--kube-api-qps=200",
		"--kube-api-burst=400",
	}}
}

func schedulerProcess(p place, bin binaries) process {
	config := p.kubeconfig("scheduler")
	return process{"kube-scheduler", bin["kube-scheduler"], []string{
		"--kubeconfig=" + config,
		"--authentication-kubeconfig=" + config,
		"--authorization-kubeconfig=" + config,
		"--bind-address=127.0.0.1",
		"--leader-elect=false",
		"--kube-api-qps=200",
		"--kube-api-burst=400",
	}}
}

func proxyProcess(p place, bin binaries) process {
	return process{"kube-proxy", bin["kube-proxy"], []string{
		"--config=" + p.path("kube-proxy.yaml"),
		"--hostname-override=" + nodeName,
	}}
}

func containerdProcess(p place, bin binaries) process {
	return process{"containerd", bin["containerd"], []string{"--config", p.path("containerd.toml")}}
}

func kubeletProcess(p place, bin binaries) process {
	return process{"kubelet", bin["kubelet"], []string{
		"--config=" + p.path("kubelet.yaml"),
		"--kubeconfig=" + p.kubeconfig("kubelet"),
		"--root-dir=" + p.path("kubelet"),
		"--cert-dir=" + p.path("kubelet", "pki"),
		"--hostname-override=" + nodeName,
		"--node-ip=" + nodeAddress,
	}}
}

func balancerProcess(p place) process {
	return process{"loadbalancer", "/proc/self/exe", []string{"loadbalancer"}}
}

// searchPath is PATH for all processes: containerd looks for its shim and for runc there, kube-proxy for nft, kubelet
// for mount.
func searchPath(bin binaries) string {
	system := "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	return filepath.Dir(bin["containerd"]) + ":" + filepath.Dir(bin["runc"]) + ":" + filepath.Dir(bin["kubectl"]) + ":" + system
}
