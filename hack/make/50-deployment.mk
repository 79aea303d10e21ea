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

# Channel of the Gateway API's CRDs: standard or experimental.
GATEWAY_API_CHANNEL ?= standard
GATEWAY_API_CRD_DIR = $$($(GO) list -m -f '{{.Dir}}' sigs.k8s.io/gateway-api)/config/crd

.PHONY: gateway-api-crds
gateway-api-crds: cluster-tool ## Install the Gateway API CRDs of the version in go.mod (GATEWAY_API_CHANNEL=standard or experimental).
ifeq ($(GATEWAY_API_CHANNEL),experimental)
ifeq ($(CLUSTER),local)
	@# A policy of the standard channel forbids this one. The API server enforces it for a while after it is gone, and what
	@# is installed below brings it again: so it waits until the policy lets go.
	@$(KUBECTL) delete --ignore-not-found --wait validatingadmissionpolicybinding,validatingadmissionpolicy \
		safe-upgrades.gateway.networking.k8s.io
	@for try in $$(seq 60); do \
		$(KUBECTL) apply --server-side --force-conflicts --dry-run=server \
			-f $(GATEWAY_API_CRD_DIR)/experimental/gateway.networking.k8s.io_gateways.yaml >/dev/null && exit 0; \
		sleep 1; done; exit 1
endif
	$(KUBECTL) apply --server-side --force-conflicts -k $(GATEWAY_API_CRD_DIR)/experimental
else
	$(KUBECTL) apply --server-side -k $(GATEWAY_API_CRD_DIR)
endif
