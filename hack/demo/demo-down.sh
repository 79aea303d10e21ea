#!/usr/bin/env bash
# Removes what `make demo` made. A cluster that the demo started goes as a whole; from any other one, the tenants and the
# operator are removed, and the Gateway API CRDs stay, since others may use them.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${MAKE:?run it with make demo-down}" "${KUBECTL:?}" "${CLUSTER:?}"

if [[ $CLUSTER != current ]]; then
	exec $MAKE cluster-down
fi
$KUBECTL delete --ignore-not-found -k config/samples
$MAKE undeploy ignore-not-found=true
