##@ Benchmarks

# The proxy beside nginx and HAProxy (docs/benchmarks.md). SCENARIOS and SUBJECTS are names separated by commas or spaces,
# all when empty; RUNS rounds of DURATION (whole seconds) each.
SCENARIOS ?=
SUBJECTS ?=
RUNS ?= 3
DURATION ?= 5s

.PHONY: bench-proxy
bench-proxy: ## Measure the proxy beside nginx and HAProxy (SCENARIOS=h1-small RUNS=3 DURATION=5s), about 15 min for all.
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(GO_LDFLAGS)" -o $(BIN)/proxy ./cmd/proxy
	@CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/bench-proxy ./test/bench
	@$(BIN)/bench-proxy -proxy $(BIN)/proxy -json $(DIST)/bench/proxy.json \
		-scenarios "$(SCENARIOS)" -subjects "$(SUBJECTS)" -runs $(RUNS) -duration $(DURATION)

# The operator where there is much of everything (docs/benchmarks.md). TESTS are names separated by commas, all when empty;
# BENCH_SCALE_ARGS go to the program: -churn 30m, -profiles DIRECTORY.
TESTS ?=
BENCH_SCALE_ARGS ?=

.PHONY: bench-scale
bench-scale: ## Measure the operator with thousands of routes (TESTS=attached-1000,propagation), about 10 min for all; needs root.
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(GO_LDFLAGS)" -o $(BIN)/proxy ./cmd/proxy
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(GO_LDFLAGS)" -o $(BIN)/operator ./cmd/operator
	@CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/bench-scale ./test/bench/scale
	@assets="$${KUBEBUILDER_ASSETS:-$$($(MAKE) -s envtest-assets | tail -1)}"; \
	KUBEBUILDER_ASSETS="$$assets" $(BIN)/bench-scale -operator $(BIN)/operator -proxy $(BIN)/proxy -json $(DIST)/bench/scale.json \
		-crds "config/crd/bases,$$($(GO) list -m -f '{{.Dir}}' sigs.k8s.io/gateway-api)/config/crd/standard" \
		-tests "$(TESTS)" $(BENCH_SCALE_ARGS)
