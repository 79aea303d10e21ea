#!/usr/bin/env bash
# Renders a kustomization of config/ with the given images, without touching the files in the tree.
#   render.sh DIRECTORY OPERATOR_IMAGE PROXY_IMAGE
set -euo pipefail
cd "$(dirname "$0")/.."
directory=$1 operator=$2 proxy=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r config "$work/config"
(cd "$work/config/manager" && "$OLDPWD/bin/kustomize" edit set image "controller=$operator")
"bin/kustomize" build "$work/$directory" | sed "s|rauta\.dev/rauta-proxy:dev|$proxy|"
