##@ Tests on a cluster

# The directory of the Gateway API's CRDs, standard channel, of the version in go.mod.
GATEWAY_API_CRDS = $(shell $(GO) list -m -f '{{.Dir}}' sigs.k8s.io/gateway-api)/config/crd/standard
# The image of the echo servers that stand in for backends.
ECHO_IMAGE ?= registry.k8s.io/gateway-api/echo-basic:v1.5.1
OPERATOR_ROLLOUT = deployment --namespace rauta-system --selector control-plane=controller-manager
# The proxy of another version, which an operator that is rolled out wants. Empty leaves the e2e test of that out, as by default with
# CLUSTER=current, which has to be able to pull it.
NEXT_PROXY_IMG ?= $(if $(filter current,$(CLUSTER)),,rauta.dev/rauta-proxy:next)
# The operator's manifest with that image.
NEXT_INSTALL = $(if $(NEXT_PROXY_IMG),$(DIST)/install-next.yaml)

# What it takes to roll out an operator that wants another proxy: the image on the cluster, and the manifest.
.PHONY: next-ready
next-ready: $(IMAGES_TOOL) $(BIN)/kustomize
ifeq ($(NEXT_PROXY_IMG),)
	@echo "NEXT_PROXY_IMG is empty: the rollout to another proxy image is left out. Name one here that the cluster can pull and that is"
	@echo "not $(PROXY_IMG), and have it built from this tree."
else
	@$(MAKE) cluster-load IMAGES="$$($(IMAGES_TOOL) -quiet -archs $(HOST_ARCH) -out $(IMAGE_DIR)/next -ldflags "-X main.version=next" \
		$(NEXT_PROXY_IMG)=./cmd/proxy)"
	@hack/render.sh config/default $(IMG) $(NEXT_PROXY_IMG) > $(NEXT_INSTALL)
endif

# A running cluster that has this tree's images and the echo servers'.
.PHONY: cluster-ready
cluster-ready: cluster-up
	@$(MAKE) cluster-load conformance-images

# The same with the Gateway API's CRDs, and with the operator of this tree running.
.PHONY: operator-ready
operator-ready: cluster-ready
	@$(MAKE) gateway-api-crds deploy
	@$(KUBECTL) rollout restart $(OPERATOR_ROLLOUT)
	@$(KUBECTL) rollout status $(OPERATOR_ROLLOUT) --timeout 120s

# A new cluster for the e2e tests: only there can they see how the operator waits for the Gateway API CRDs. Empty keeps
# the cluster as it is, and leaves that test out where the CRDs are installed already.
E2E_FRESH ?= $(if $(filter local,$(CLUSTER)),1)
# A regular expression: the specs to run.
E2E_FOCUS ?=
E2E_TIMEOUT ?= 20m

.PHONY: test-e2e
test-e2e: build-installer ## Run the e2e tests (about 4 min); with CLUSTER=local on a new cluster, which stays up (E2E_FRESH= keeps the old one, E2E_FOCUS=regexp).
	@$(if $(E2E_FRESH),$(MAKE) cluster-down)
	@$(MAKE) cluster-ready
	@$(MAKE) next-ready
	E2E_INSTALL=$(DIST)/install.yaml E2E_NEXT_INSTALL=$(NEXT_INSTALL) E2E_GATEWAY_CRDS=$(GATEWAY_API_CRDS) E2E_ECHO_IMAGE=$(ECHO_IMAGE) E2E_FRESH=$(E2E_FRESH) \
		$(GO) test -tags e2e -count=1 -v -timeout $(E2E_TIMEOUT) $(if $(CLUSTER_EXEC),-exec "$(CLUSTER_EXEC)") ./test/e2e \
		-args -ginkgo.v -ginkgo.no-color -ginkgo.focus "$(E2E_FOCUS)" -ginkgo.timeout $(E2E_TIMEOUT)

# The order of the faults and what they hit (0: by the clock; it is printed); how long they go on (0: each of them once); and which of
# them: all, or changes alone. CHAOS_ONLY is the name of one fault.
SEED ?= 0
CHAOS ?= all
CHAOS_ONLY ?=
CHAOS_BACKEND ?= rauta.dev/chaos-backend:dev
# DURATION has another default where benchmarks are run.
CHAOS_DURATION = $(if $(filter command environment,$(firstword $(origin DURATION))),$(DURATION),0)

.PHONY: test-chaos
test-chaos: build-installer $(IMAGES_TOOL) ## Break the local cluster under load (about 8 min; SEED=n DURATION=10m CHAOS=changes); report in dist/chaos (docs/chaos.md).
ifneq ($(CLUSTER),local)
	@echo "test-chaos kills and cuts off processes of the cluster: CLUSTER=local alone is meant for it"; exit 1
endif
	@$(MAKE) cluster-up
	@$(MAKE) cluster-load
	@$(MAKE) cluster-load IMAGES="$$($(IMAGES_TOOL) -quiet -archs $(HOST_ARCH) -out $(IMAGE_DIR) $(CHAOS_BACKEND)=./test/chaos/backend)"
	@$(MAKE) next-ready
	@CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/chaos ./test/chaos
	@$(CLUSTER_EXEC) $(BIN)/chaos -seed $(SEED) -duration $(CHAOS_DURATION) -kind $(CHAOS) -only "$(CHAOS_ONLY)" \
		-cluster $(or $(RAUTA_CLUSTER_NAME),rauta-cluster) -install $(DIST)/install.yaml -crds $(GATEWAY_API_CRDS) \
		-backend-image $(CHAOS_BACKEND) -proxy-image $(PROXY_IMG) -next-proxy-image "$(NEXT_PROXY_IMG)" -report $(DIST)/chaos/report.json

# Profiles of the official suite, separated by commas.
PROFILES ?= GATEWAY-HTTP,GATEWAY-GRPC,GATEWAY-TLS,GATEWAY-TCP,GATEWAY-UDP
# The short name of one test of the suite, to run it alone.
CONFORMANCE_RUN ?=
CONFORMANCE_TIMEOUT ?= 60m
# What passes takes seconds; a busy machine may take a minute to start a pod.
CONFORMANCE_WAITS ?= GatewayMustHaveCondition:120;GatewayMustHaveAddress:120;NamespacesMustBeReady:150;GatewayListenersMustHaveConditions:150
CONFORMANCE_ARGS = -args -gateway-class rauta -conformance-profiles $(PROFILES) \
	-organization rauta-dev -project rauta -url https://github.com/rauta-dev/rauta -contact @rauta-dev/maintainers -version $(VERSION) \
	-timeout-config-overrides "$(CONFORMANCE_WAITS)" \
	$(if $(CLUSTER_USABLE_ADDRESSES),-usable-address $(firstword $(subst $(comma), ,$(CLUSTER_USABLE_ADDRESSES)))) \
	$(if $(CLUSTER_UNUSABLE_ADDRESSES),-unusable-address $(CLUSTER_UNUSABLE_ADDRESSES))
CONFORMANCE_GO = cd test/conformance && $(GO) test -tags conformance -count=1 -timeout $(CONFORMANCE_TIMEOUT) \
	$(if $(CLUSTER_EXEC),-exec "$(CLUSTER_EXEC)")
comma := ,

# The suite's tests of retries need the experimental channel; with GATEWAY_API_CHANNEL=standard they are not run.
CONFORMANCE_CHANNEL = $(if $(filter command environment,$(firstword $(origin GATEWAY_API_CHANNEL))),$(GATEWAY_API_CHANNEL),experimental)

.PHONY: conformance-ready
conformance-ready:
	@$(MAKE) operator-ready GATEWAY_API_CHANNEL=$(CONFORMANCE_CHANNEL)
	@# What the class claims decides which tests are run: it has to come from this tree's operator, and not from the last one's.
	@$(KUBECTL) delete --ignore-not-found --wait -k config/gatewayclass
	@$(KUBECTL) apply --server-side -k config/gatewayclass
	@# Forty proxies at a time, idle most of it: with what they ask for by default a node with two CPUs has no place for the last ones.
	@printf '%s\n' 'apiVersion: gateway.rauta.dev/v1alpha1' 'kind: GatewayParameters' 'metadata: {name: conformance, namespace: rauta-system}' \
		'spec: {resources: {requests: {cpu: 10m}}}' | $(KUBECTL) apply --server-side -f -
	@$(KUBECTL) patch gatewayclass rauta --type merge -p \
		'{"spec": {"parametersRef": {"group": "gateway.rauta.dev", "kind": "GatewayParameters", "namespace": "rauta-system", "name": "conformance"}}}'
	@$(KUBECTL) wait --for condition=Accepted --timeout 120s -f config/gatewayclass/gatewayclass.yaml

.PHONY: conformance
conformance: conformance-ready ## Run the official Gateway API suite (PROFILES=GATEWAY-HTTP,GATEWAY-TCP, CONFORMANCE_RUN=TestName); report in dist/conformance.
	@mkdir -p $(DIST)/conformance
	@rm -f $(DIST)/conformance/report.yaml
	@status=0; $(CONFORMANCE_GO) -v -run TestConformance . $(CONFORMANCE_ARGS) \
		$(if $(CONFORMANCE_RUN),-run-test $(CONFORMANCE_RUN),-report-output $(DIST)/conformance/report.yaml) \
		2>&1 | tee $(DIST)/conformance/log.txt | grep -E --line-buffered '^(=== RUN +TestConformance/[^/]+$$| {0,4}--- (PASS|FAIL)|ok|FAIL|PASS)|PASSED:|FAILED:' || status=$$?; \
	echo "log: $(DIST)/conformance/log.txt$(if $(CONFORMANCE_RUN),,; report: $(DIST)/conformance/report.yaml)"; exit $$status

.PHONY: conformance-check
conformance-check: conformance-ready ## Run the tests of the official suite that are meant to pass (test/conformance/passing.txt); fail on any regression.
	@cd test/conformance && $(GO) test -count=1 .
	@mkdir -p $(DIST)/conformance
	@$(CONFORMANCE_GO) -v -run TestConformance . $(CONFORMANCE_ARGS) -only-passing \
		2>&1 | tee $(DIST)/conformance/check.txt | grep -E --line-buffered '^( {0,4}--- (PASS|FAIL)|ok|FAIL|PASS)|PASSED:|FAILED:|meant to pass' || { \
		echo "log: $(DIST)/conformance/check.txt"; exit 1; }
