##@ Demo

.PHONY: demo
demo: ## From nothing to answered requests: cluster, operator, two tenants, traffic (about 15 min on a new machine, 90 s warm).
	@MAKE="$(MAKE)" KUBECTL="$(KUBECTL)" CLUSTER_EXEC="$(CLUSTER_EXEC)" CLUSTER="$(CLUSTER)" GO="$(GO)" BIN="$(BIN)" hack/demo/demo.sh

.PHONY: demo-down
demo-down: ## Remove what the demo made: with CLUSTER=local or kind the cluster, else the tenants and the operator.
	@MAKE="$(MAKE)" KUBECTL="$(KUBECTL)" CLUSTER="$(CLUSTER)" hack/demo/demo-down.sh
