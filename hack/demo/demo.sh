#!/usr/bin/env bash
# From nothing to answered requests: `make demo` runs this, and passes what it needs in the environment.
# Exits with 0 only if every request was answered by the right backend. Running it again on a running cluster works.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${MAKE:?run it with make demo}" "${KUBECTL:?}" "${CLUSTER:?}" "${GO:?}" "${BIN:?}"
CLUSTER_EXEC=${CLUSTER_EXEC:-}

started=$SECONDS
bold=$'\e[1m' plain=$'\e[0m'
[[ -t 1 ]] || bold='' plain=''
step() { printf '\n%s[%3d s] %s%s\n' "$bold" $((SECONDS - started)) "$1" "$plain"; }
kubectl() { command $KUBECTL "$@"; } # which may be kubectl itself
trap 'status=$?; [[ $status == 0 ]] || printf "\nThe demo failed after %d s (exit %d). What the operator says: make cluster-kubectl CLUSTER=%s ARGS=\"-n rauta-system logs deployment/rauta-controller-manager\"\n" \
	$((SECONDS - started)) "$status" "$CLUSTER" >&2' EXIT

# Namespace, Gateway, host and the share that each backend should get: what config/samples says.
tenants=(
	"tenant-a web a.example.com echo-v1=90,echo-v2=10"
	"tenant-b web b.example.com echo-v1=50,echo-v2=50"
)

case $CLUSTER in
local) step "Starting a cluster on this machine: about 8 min where it was never built, 10 s afterwards" ;;
kind) step "Starting a cluster with kind: about 1 min" ;;
*) step "Using the cluster of the kubeconfig" ;;
esac
$MAKE cluster-up

step "Building the images of the operator and the proxy, and loading them: about 3 min at first, seconds afterwards"
$MAKE cluster-load conformance-images
$GO build -o "$BIN/demo-requests" ./hack/demo/requests

step "Installing the Gateway API CRDs and the operator (config/default)"
$MAKE gateway-api-crds deploy >/dev/null
# The tag of an image stays when its content changes: pods of an earlier demo then have to be replaced.
content=$(cat dist/images/rauta-*.tar | sha256sum | cut -c1-16)
before=$(kubectl get namespace rauta-system -o jsonpath='{.metadata.annotations.demo/images}')
kubectl annotate --overwrite namespace rauta-system "demo/images=$content" >/dev/null
if [[ -n $before && $before != "$content" ]]; then
	kubectl -n rauta-system rollout restart deployment/rauta-controller-manager
	for tenant in "${tenants[@]}"; do
		read -r namespace gateway _ <<<"$tenant"
		kubectl -n "$namespace" rollout restart deployment -l "gateway.networking.k8s.io/gateway-name=$gateway"
	done
fi
kubectl -n rauta-system rollout status deployment/rauta-controller-manager --timeout 120s

step "Applying two tenants (config/samples)"
# Forced: what somebody edited since the last demo is what the samples say again.
"$BIN/kustomize" build config/samples | kubectl apply --server-side --force-conflicts -f - | sed 's/^/    /'

step "Waiting until their Gateways are programmed: every ready replica has acknowledged its table"
for tenant in "${tenants[@]}"; do
	read -r namespace gateway _ <<<"$tenant"
	kubectl -n "$namespace" wait "gateway/$gateway" --for=condition=Programmed --timeout 120s
	for deployment in $(kubectl -n "$namespace" get deployments -o name); do
		kubectl -n "$namespace" rollout status "$deployment" --timeout 120s >/dev/null
	done
done

for tenant in "${tenants[@]}"; do
	read -r namespace gateway _ <<<"$tenant"
	step "What was provisioned for Gateway $namespace/$gateway, in its own namespace"
	kubectl -n "$namespace" get deployments,services,configmaps,secrets,serviceaccounts,poddisruptionbudgets,networkpolicies \
		-l "gateway.networking.k8s.io/gateway-name=$gateway" --no-headers -o custom-columns='KIND:.kind,NAME:.metadata.name' | sed 's/^/    /'
	kubectl -n "$namespace" get pods -l "gateway.networking.k8s.io/gateway-name=$gateway" -o wide --no-headers |
		awk '{ printf "    Pod                   %s  %s  %s\n", $1, $3, $6 }'
	kubectl -n "$namespace" get gateway "$gateway" -o jsonpath='{range .status.conditions[*]}    {.type}={.status}: {.message}{"\n"}{end}'
done

right=true
for tenant in "${tenants[@]}"; do
	read -r namespace gateway host want <<<"$tenant"
	address=$(kubectl -n "$namespace" get gateway "$gateway" -o jsonpath='{.status.addresses[0].value}')
	step "200 requests for http://$host/ to $address (Gateway $namespace/$gateway)"
	$CLUSTER_EXEC "$BIN/demo-requests" -n 200 -host "$host" -want "$want" "$address:80" || right=false
done
if [[ $right != true ]]; then
	echo "not every answer was right" >&2
	exit 1
fi

step "Done: both tenants answered, each from a proxy of its own"
switch=''
[[ $CLUSTER == local ]] || switch=" CLUSTER=$CLUSTER"
first=$(kubectl -n tenant-a get gateway web -o jsonpath='{.status.addresses[0].value}')
cat <<EOF

Go on:
  what there is                make cluster-kubectl$switch ARGS="get gateways,httproutes,gatewayparameters -A"
  send requests yourself       ${CLUSTER_EXEC:+$CLUSTER_EXEC }curl -H 'Host: a.example.com' http://$first/
  change a weight, count       make cluster-kubectl$switch ARGS="-n tenant-a edit httproute echo"
                               ${CLUSTER_EXEC:+$CLUSTER_EXEC }$BIN/demo-requests -host a.example.com -want echo-v1=50,echo-v2=50 $first:80
  the suites on a cluster      make test-e2e$switch; make conformance$switch
  how it works                 README.md
Tear it down:                  make demo-down$switch
EOF
