##@ Deployment

ignore-not-found ?= false

.PHONY: install
install: manifests cluster-tool ## Install the CRDs into the cluster.
	$(KUBECTL) apply --server-side -k config/crd

.PHONY: uninstall
uninstall: cluster-tool ## Remove the CRDs, and with them every GatewayParameters.
	$(KUBECTL) delete --ignore-not-found=$(ignore-not-found) -k config/crd

.PHONY: deploy
deploy: $(BIN)/kustomize cluster-tool ## Deploy the operator; the Gateway API CRDs must be there (make gateway-api-crds).
	hack/render.sh config/default $(IMG) $(PROXY_IMG) | $(KUBECTL) apply --server-side -f -

.PHONY: undeploy
undeploy: $(BIN)/kustomize cluster-tool ## Remove the operator and its CRDs. Gateways and Gateway API CRDs stay.
	hack/render.sh config/default $(IMG) $(PROXY_IMG) | $(KUBECTL) delete --ignore-not-found=$(ignore-not-found) -f -

.PHONY: gateway-api-crds
gateway-api-crds: cluster-tool ## Install the Gateway API CRDs (standard channel) of the version in go.mod.
	$(KUBECTL) apply --server-side -k "$$($(GO) list -m -f '{{.Dir}}' sigs.k8s.io/gateway-api)/config/crd"
