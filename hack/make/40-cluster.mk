##@ Cluster

# CLUSTER says which Kubernetes the demo, the e2e tests and the conformance suite run on:
#   local    one that hack/cluster builds from Go modules and runs in namespaces of its own (root on Linux)
#   kind     one in Docker, made with the kind CLI
#   current  whatever KUBECONFIG or ~/.kube/config points to
#
# Two variables let any recipe work with each of them; it depends on cluster-up:
#   KUBECTL       the kubectl command for that cluster
#   CLUSTER_EXEC  a prefix for a command that needs the cluster's addresses and KUBECONFIG
CLUSTER ?= local
KIND ?= kind
KIND_CLUSTER ?= rauta
HOST_ARCH := $(shell go env GOHOSTARCH)

CLUSTER_TOOL := $(CURDIR)/bin/cluster
CLUSTER_SOURCES := $(wildcard hack/cluster/*.go hack/cluster/*.yaml hack/cluster/go.* hack/images/archive/*.go)

ifeq ($(CLUSTER),local)
KUBECTL := $(CLUSTER_TOOL) kubectl
CLUSTER_EXEC := $(CLUSTER_TOOL) exec
# For the conformance suite's tests of static addresses: what a Service may ask for, and what it may not.
CLUSTER_USABLE_ADDRESSES ?= 198.18.1.200,198.18.1.201
CLUSTER_UNUSABLE_ADDRESSES ?= 203.0.113.9
else ifeq ($(CLUSTER),kind)
KIND_KUBECONFIG := $(CURDIR)/bin/kind-$(KIND_CLUSTER).kubeconfig
KUBECTL := kubectl --kubeconfig $(KIND_KUBECONFIG)
CLUSTER_EXEC := env KUBECONFIG=$(KIND_KUBECONFIG)
CLUSTER_UNUSABLE_ADDRESSES ?= 203.0.113.9
else ifeq ($(CLUSTER),current)
KUBECTL := kubectl
CLUSTER_EXEC :=
else
$(error CLUSTER=$(CLUSTER): want local, kind or current)
endif

# Image archives that cluster-load imports. By default it builds those of the operator and the proxy first.
IMAGES ?=

$(CLUSTER_TOOL): $(CLUSTER_SOURCES)
	@mkdir -p $(@D)
	@cd hack/cluster && GOFLAGS= GOWORK=off CGO_ENABLED=0 go build -trimpath -buildvcs=false \
		-ldflags "-X main.sourceRoot=$(CURDIR)/hack/cluster" -o $@ .

.PHONY: cluster-up
cluster-up: cluster-up-$(CLUSTER) ## Start the cluster that CLUSTER names (local, kind or current), or check that it answers.

.PHONY: cluster-down
cluster-down: cluster-down-$(CLUSTER) ## Remove that cluster and all that it left (current: nothing to do).

.PHONY: cluster-load
cluster-load: ARCHS = $(HOST_ARCH)
cluster-load: $(IMAGES_TOOL) ## Build the images for this machine and load them into the cluster (IMAGES="a.tar b.tar": those instead).
ifeq ($(strip $(IMAGES)),)
	@archives="$$($(IMAGES_TOOL) -quiet $(IMAGES_ARGS) | tr '\n' ' ')" && $(MAKE) --no-print-directory cluster-load-$(CLUSTER) IMAGES="$$archives"
else
	@$(MAKE) --no-print-directory cluster-load-$(CLUSTER)
endif

.PHONY: cluster-kubectl
cluster-kubectl: cluster-tool ## Run kubectl in the cluster: make cluster-kubectl ARGS="get pods -A".
	@$(KUBECTL) $(ARGS)

.PHONY: cluster-status
cluster-status: cluster-tool ## Say whether the cluster answers, and where its things are.
ifeq ($(CLUSTER),local)
	@$(CLUSTER_TOOL) status
else
	@$(KUBECTL) cluster-info
endif

.PHONY: cluster-tool
ifeq ($(CLUSTER),local)
cluster-tool: $(CLUSTER_TOOL)
else
cluster-tool:
endif

.PHONY: envtest-assets
envtest-assets: $(CLUSTER_TOOL) ## Build kube-apiserver, etcd and kubectl; print the directory for KUBEBUILDER_ASSETS.
	@$(CLUSTER_TOOL) assets

.PHONY: conformance-images
conformance-images: cluster-tool ## Build the Gateway API conformance suite's images and load them (kind and current pull them).
ifeq ($(CLUSTER),local)
	@$(CLUSTER_TOOL) conformance-images -load
else
	@echo "CLUSTER=$(CLUSTER): the cluster pulls the suite's images from registry.k8s.io by itself"
endif

# local

.PHONY: cluster-up-local cluster-down-local cluster-load-local
cluster-up-local: $(CLUSTER_TOOL)
	@$(CLUSTER_TOOL) up

cluster-down-local: $(CLUSTER_TOOL)
	@$(CLUSTER_TOOL) down

cluster-load-local: $(CLUSTER_TOOL)
	@$(CLUSTER_TOOL) load $(IMAGES)

.PHONY: cluster-test
cluster-test: $(CLUSTER_TOOL) ## Test the local cluster and the image builder: unit tests, then crashes at random points, and no leftovers.
	@cd hack/images && GOFLAGS= GOWORK=off go test ./...
	@cd hack/cluster && GOFLAGS= GOWORK=off go test ./...
	@hack/cluster/crash-test.sh $(CLUSTER_TOOL)

# kind

.PHONY: cluster-up-kind cluster-down-kind cluster-load-kind
cluster-up-kind:
	@command -v $(KIND) >/dev/null || { echo "CLUSTER=kind: the kind command is missing: https://kind.sigs.k8s.io"; exit 1; }
	@mkdir -p bin
	@if $(KIND) get clusters 2>/dev/null | grep -qxF "$(KIND_CLUSTER)"; then \
		$(KIND) export kubeconfig --name $(KIND_CLUSTER) --kubeconfig $(KIND_KUBECONFIG); \
	else \
		$(KIND) create cluster --name $(KIND_CLUSTER) --kubeconfig $(KIND_KUBECONFIG) --wait 120s; \
	fi
	@echo "LoadBalancer Services on kind get addresses from cloud-provider-kind, which has to run beside it:"
	@echo "  https://github.com/kubernetes-sigs/cloud-provider-kind"

cluster-down-kind:
	@$(KIND) delete cluster --name $(KIND_CLUSTER) --kubeconfig $(KIND_KUBECONFIG)
	@rm -f $(KIND_KUBECONFIG)

cluster-load-kind:
	@for archive in $(IMAGES); do $(KIND) load image-archive --name $(KIND_CLUSTER) $$archive || exit 1; done

# current

.PHONY: cluster-up-current cluster-down-current cluster-load-current
cluster-up-current:
	@kubectl --request-timeout=10s get --raw /readyz >/dev/null || { \
		echo "CLUSTER=current: the cluster of the current kubeconfig context does not answer"; exit 1; }
	@echo "using the cluster of the current kubeconfig context: $$(kubectl config current-context)"

cluster-down-current:
	@echo "CLUSTER=current: the cluster is not ours to remove"

cluster-load-current:
	@echo "CLUSTER=current: nothing is loaded into nodes. The cluster has to be able to pull $(IMG) and $(PROXY_IMG)."
	@echo "To use a registry of yours, set IMG=registry.example.com/me/rauta-operator:dev and PROXY_IMG likewise, for this"
	@echo "and all later targets, and push: make docker-build docker-push, or without Docker"
	@for archive in $(IMAGES); do echo "  skopeo copy docker-archive:$$archive docker://NAME"; done
