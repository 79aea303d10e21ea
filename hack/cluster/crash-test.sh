#!/usr/bin/env bash
# Tests the local cluster itself: starts one under a name of its own (beside a cluster in use, if there is one), breaks it
# in every way that a crash can, removes it, and looks for leftovers, both with the tool's own "verify" and without it.
# Usage: crash-test.sh CLUSTER-TOOL [ROUNDS]   (as root; about two minutes)
set -euo pipefail

tool=$1
rounds=${2:-4}
export RAUTA_CLUSTER_NAME=rauta-crash-test
state=/var/lib/$RAUTA_CLUSTER_NAME
scratch=$(mktemp -d)
trap '"$tool" down >/dev/null 2>&1 || true; rm -rf "$scratch"' EXIT

say() { printf '== %s\n' "$*"; }
fail() { printf 'FAIL: %s\n' "$*" >&2; exit 1; }

# pids_of PATTERN: the cluster's own processes whose command line matches; never anyone else's.
pids_of() {
	local dir line
	for dir in /proc/[0-9]*; do
		grep -qzxF "RAUTA_CLUSTER=$RAUTA_CLUSTER_NAME" "$dir/environ" 2>/dev/null || continue
		line=$(tr '\0' ' ' <"$dir/cmdline" 2>/dev/null) || continue
		[[ $line =~ $1 ]] && echo "${dir#/proc/}"
	done
	return 0
}

# networks: every network namespace that a process of the cluster or of its pods is in.
networks() {
	local dir
	for dir in /proc/[0-9]*; do
		if grep -qzxF "RAUTA_CLUSTER=$RAUTA_CLUSTER_NAME" "$dir/environ" 2>/dev/null ||
			grep -q ":/$RAUTA_CLUSTER_NAME" "$dir/cgroup" 2>/dev/null; then
			readlink "$dir/ns/net" 2>/dev/null || true
		fi
	done | sort -u | grep -vxF "$(readlink /proc/self/ns/net)" || true
}

machine() { ip -o link | cut -d: -f2 | sort; ip netns | sort; }

# clean NAMESPACES...: nothing of the cluster is left; told without the help of the tool.
clean() {
	"$tool" verify || fail "verify found leftovers"
	[[ ! -e $state ]] || fail "$state is left"
	[[ -z $(pids_of .) ]] || fail "processes are left: $(pids_of .)"
	if grep -qs "$RAUTA_CLUSTER_NAME" /proc/[0-9]*/mountinfo; then fail "mounts are left"; fi
	[[ -z $(find /sys/fs/cgroup -type d -name "$RAUTA_CLUSTER_NAME*") ]] || fail "cgroups are left"
	local name
	for name in "$@"; do
		if ls -l /proc/[0-9]*/ns/net 2>/dev/null | grep -qF "$name"; then fail "network namespace $name is left"; fi
		if grep -qsF "$name" /proc/[0-9]*/mountinfo; then fail "network namespace $name is still mounted"; fi
	done
	diff <(echo "$before") <(machine) || fail "links or named network namespaces differ from before"
}

down() {
	local left
	mapfile -t left < <(networks)
	"$tool" down || fail "down failed"
	clean "${left[@]}"
}

# workload: pods that leave a lot behind: a service, a load balancer, volumes in memory and of configuration, a second container.
workload() {
	"$tool" kubectl create -f - >/dev/null <<-'EOF'
	apiVersion: apps/v1
	kind: Deployment
	metadata: {name: web}
	spec:
	  replicas: 3
	  selector: {matchLabels: {app: web}}
	  template:
	    metadata: {labels: {app: web}}
	    spec:
	      terminationGracePeriodSeconds: 1
	      containers:
	      - {name: one, image: "rauta.dev/local/pause:1", volumeMounts: [{name: memory, mountPath: /memory}]}
	      - {name: two, image: "rauta.dev/local/pause:1", volumeMounts: [{name: root, mountPath: /configuration}]}
	      volumes:
	      - {name: memory, emptyDir: {medium: Memory}}
	      - {name: root, configMap: {name: kube-root-ca.crt}}
	---
	apiVersion: v1
	kind: Service
	metadata: {name: web}
	spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
	EOF
	"$tool" kubectl rollout status deployment/web --timeout=60s >/dev/null || fail "the workload does not run"
}

[[ $(id -u) == 0 ]] || fail "this test needs root"
"$tool" down >/dev/null
before=$(machine)

say "up, up again, down, down again"
"$tool" up
"$tool" up | grep -q "running already" || fail "a second up did not find the first"
workload
down
"$tool" down >/dev/null || fail "down with nothing there failed"

say "each component killed: the cluster recovers"
"$tool" up
workload
for component in '/etcd ' '/kube-apiserver ' '/kube-controller-manager ' '/kube-scheduler ' '/containerd ' '/kubelet ' '/kube-proxy ' ' loadbalancer $'; do
	mapfile -t victims < <(pids_of "$component")
	((${#victims[@]})) || fail "no process matches $component"
	kill -9 "${victims[@]}" 2>/dev/null || true
done
deadline=$((SECONDS + 60))
until "$tool" kubectl --request-timeout=5s create deployment again --image=rauta.dev/local/pause:1 >/dev/null 2>&1; do
	((SECONDS < deadline)) || fail "the API does not come back"
	sleep 0.2
done
"$tool" kubectl rollout status deployment/again --timeout=60s >/dev/null || fail "no pod starts after the components came back"
down

say "the first process killed"
"$tool" up && workload
mapfile -t left < <(networks)
kill -9 $(pids_of ' init $')
"$tool" verify >/dev/null && fail "verify did not see the cgroups of a killed cluster"
"$tool" down && clean "${left[@]}"

say "the supervisor killed, then up: a new cluster replaces the broken one"
"$tool" up && workload
kill -9 $(pids_of '^cluster supervise')
"$tool" up
[[ $("$tool" kubectl get deployments -o name) == "" ]] || fail "the new cluster holds objects of the old one"
down

say "what exec started ends with the cluster, also when it has thrown its environment away"
"$tool" up
if "$tool" exec "$tool" down >/dev/null 2>&1; then fail "down worked from inside the cluster that it would end"; fi
"$tool" exec env -i sleep 1000 &
runner=$!
until [[ $(cat /proc/$runner/comm) == sleep ]]; do sleep 0.1; done
down
if kill -0 $runner 2>/dev/null; then fail "a command of exec survived"; fi

for ((round = 1; round <= rounds; round++)); do
	delay=$((RANDOM % 5)).$((RANDOM % 10))
	say "round $round: up killed after $delay s, with all of the cluster's processes in odd rounds; then down"
	"$tool" up >"$scratch/up" 2>&1 &
	up=$!
	sleep "$delay"
	kill -9 $up 2>/dev/null || true
	if ((round % 2)); then for pid in $(pids_of .); do kill -9 "$pid" 2>/dev/null || true; done; fi
	wait $up 2>/dev/null || true
	down
done

say "up killed at a random moment, then up"
"$tool" up >"$scratch/up" 2>&1 &
up=$!
sleep 2.$((RANDOM % 10))
kill -9 $up 2>/dev/null || true
wait $up 2>/dev/null || true
"$tool" up
"$tool" kubectl get nodes | grep -q ' Ready ' || fail "the node is not Ready"
down
say "passed: nothing was left behind"
