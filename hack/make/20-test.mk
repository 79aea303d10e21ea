##@ Tests

# Packages of the module whose tests need no cluster; TEST_ARGS go to go test: make test TEST_ARGS="-run TestName".
TEST_PACKAGES ?= ./...
TEST_ARGS ?=
# Modules of their own under hack and test, with tests of their own.
TEST_MODULES = hack/cluster hack/images hack/images/archive test/conformance

.PHONY: test
test: ## Run unit, envtest and feature tests with the race detector.
	@assets="$${KUBEBUILDER_ASSETS:-}"; \
	if [ -z "$$assets" ]; then \
		echo "kube-apiserver and etcd for envtest (about 4 minutes on a cold cache)"; \
		assets="$$($(MAKE) envtest-assets)"; \
	fi; \
	echo "tests with the race detector (the first build takes about 5 minutes)"; \
	KUBEBUILDER_ASSETS="$$assets" $(GO) test -race -timeout 30m $(TEST_ARGS) $(TEST_PACKAGES)
	@for module in $(TEST_MODULES); do \
		if [ -f $$module/go.mod ]; then (cd $$module && GOFLAGS= $(GO) test ./...) || exit 1; fi; \
	done

# How long, and from which seed (0: by the clock; it is printed). DURATION has another default where benchmarks are run.
SOAK_DURATION = $(if $(filter command environment,$(firstword $(origin DURATION))),$(DURATION),10m)

.PHONY: test-soak
test-soak: ## Have everything change that statuses depend on, and look at each event of each status (DURATION=10m SEED=n).
	@assets="$${KUBEBUILDER_ASSETS:-}"; \
	if [ -z "$$assets" ]; then assets="$$($(MAKE) -s envtest-assets | tail -1)"; fi; \
	KUBEBUILDER_ASSETS="$$assets" $(GO) test -count=1 -v -timeout 0 -run TestStatusesUnderChange ./test/soak \
		-args -seed $(or $(SEED),0) -duration $(SOAK_DURATION)

.PHONY: test-h2spec
test-h2spec: $(BIN)/h2spec ## Run h2spec (generic, http2, hpack) against the proxy, over TLS and without.
	H2SPEC=$(BIN)/h2spec $(GO) test -tags h2spec -count=1 -run TestH2Spec ./proxy
