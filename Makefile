# RAUTA: the operator and the proxy. `make help` lists the targets.

SHELL = /usr/bin/env bash -o pipefail
.SHELLFLAGS = -ec
MAKEFLAGS += --no-print-directory

# Version of what is built; images carry it as their tag.
VERSION ?= dev
# Where the demo, the e2e and the conformance tests run: local (a Kubernetes on this machine, without Docker), kind, or
# current (whatever the kubeconfig points to).
CLUSTER ?= local
# Images of the operator and of the proxy.
IMG ?= rauta.dev/rauta-operator:$(VERSION)
PROXY_IMG ?= rauta.dev/rauta-proxy:$(VERSION)
PLATFORMS ?= linux/amd64,linux/arm64
CONTAINER_TOOL ?= docker

ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST))))
BIN := $(ROOT)/bin
DIST := $(ROOT)/dist
GO ?= go
GO_LDFLAGS = -s -w -buildid= -X main.version=$(VERSION)

.PHONY: all
all: build

##@ General

.PHONY: help
help: ## Show this help.
	@awk 'BEGIN {FS = ":.*##"; printf "\nUsage:\n  make \033[36m<target>\033[0m [CLUSTER=local|kind|current]\n"} \
		/^[a-zA-Z_0-9-]+:.*?##/ { printf "  \033[36m%-22s\033[0m %s\n", $$1, $$2 } \
		/^##@/ { printf "\n\033[1m%s\033[0m\n", substr($$0, 5) } ' $(MAKEFILE_LIST)
	@printf '\nFirst steps: make demo, then make test. Documentation: README.md\n'

include $(sort $(wildcard hack/make/*.mk))
