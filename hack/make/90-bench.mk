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
