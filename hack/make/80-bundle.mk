##@ OLM bundle

# OLM orders versions: without a semantic VERSION, the bundle is a pre-release of 0.1.0.
BUNDLE_VERSION ?= $(or $(shell echo '$(VERSION)' | sed -nE 's/^v?([0-9]+\.[0-9]+\.[0-9]+([-+].*)?)$$/\1/p'),0.1.0-$(VERSION))
BUNDLE_CHANNEL ?= alpha
BUNDLE_DIR ?= $(DIST)/bundle
BUNDLE_IMG ?= rauta.dev/rauta-operator-bundle:v$(BUNDLE_VERSION)

.PHONY: bundle
bundle: $(BIN)/kustomize manifests ## Write the OLM bundle to dist/bundle (the Gateway API CRDs are a prerequisite, not part of it).
	@rm -rf $(BUNDLE_DIR)
	@hack/render.sh config/manifests $(IMG) $(PROXY_IMG) | $(GO) run ./hack/bundle -version $(BUNDLE_VERSION) -channel $(BUNDLE_CHANNEL) -output $(BUNDLE_DIR)

.PHONY: bundle-build
bundle-build: bundle ## Build the bundle's image with Docker.
	$(CONTAINER_TOOL) build -f $(BUNDLE_DIR)/bundle.Dockerfile -t $(BUNDLE_IMG) $(BUNDLE_DIR)
