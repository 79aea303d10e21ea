##@ Development

CRD_PATHS = ./api/v1alpha1/...
RBAC_PATHS = ./internal/controller/...
# The module's own packages; generated and nested modules are not among them.
PACKAGES ?= ./...

.PHONY: manifests
manifests: $(BIN)/controller-gen ## Generate CRDs and the operator's ClusterRole.
	$(BIN)/controller-gen crd paths="$(CRD_PATHS)" output:crd:artifacts:config=config/crd/bases
	$(BIN)/controller-gen rbac:roleName=manager-role paths="$(RBAC_PATHS)" output:rbac:artifacts:config=config/rbac

.PHONY: generate
generate: $(BIN)/controller-gen $(BIN)/buf $(BIN)/protoc-gen-go $(BIN)/protoc-gen-go-grpc ## Generate deep copies and the admin API's Go.
	$(BIN)/controller-gen object:headerFile=hack/boilerplate.go.txt paths="$(CRD_PATHS)"
	PATH="$(BIN):$$PATH" $(BIN)/buf generate

.PHONY: verify-generated
verify-generated: generate manifests ## Fail when a generated file differs from what is committed.
	@if [ -n "$$(git status --porcelain -- api config)" ]; then \
		git --no-pager diff --stat -- api config; git status --short -- api config; \
		echo "generated files differ from what is committed: run 'make generate manifests' and commit the result" >&2; exit 1; fi

.PHONY: fmt
fmt: $(BIN)/golangci-lint ## Format the code.
	$(BIN)/golangci-lint fmt

.PHONY: vet
vet: ## Run go vet.
	$(GO) vet $(PACKAGES)

.PHONY: lint
lint: $(BIN)/golangci-lint $(BIN)/buf ## Run the linters.
	$(BIN)/golangci-lint run
	$(BIN)/buf lint

.PHONY: lint-fix
lint-fix: $(BIN)/golangci-lint ## Run the linters and mend what they can.
	$(BIN)/golangci-lint run --fix

##@ Build

.PHONY: build
build: ## Build the operator and the proxy into bin/.
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(GO_LDFLAGS)" -o $(BIN)/operator ./cmd/operator
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(GO_LDFLAGS)" -o $(BIN)/proxy ./cmd/proxy

.PHONY: run
run: ## Run the operator from source against the kubeconfig's cluster (needs a route to the pods).
	$(GO) run ./cmd/operator --proxy-image $(PROXY_IMG) --leader-elect=false --metrics-secure=false

.PHONY: docker-build
docker-build: ## Build both images with Docker (`make images` needs no Docker).
	$(CONTAINER_TOOL) build --build-arg VERSION=$(VERSION) --target operator -t $(IMG) .
	$(CONTAINER_TOOL) build --build-arg VERSION=$(VERSION) --target proxy -t $(PROXY_IMG) .

.PHONY: docker-push
docker-push: ## Push both images with Docker.
	$(CONTAINER_TOOL) push $(IMG)
	$(CONTAINER_TOOL) push $(PROXY_IMG)

.PHONY: build-installer
build-installer: $(BIN)/kustomize ## Write dist/install.yaml: the CRDs and the operator in one file.
	@mkdir -p $(DIST)
	hack/render.sh config/default $(IMG) $(PROXY_IMG) > $(DIST)/install.yaml

# Tools: each is pinned by a go.mod of its own, so that none of them decides a version of the product.
$(BIN)/protoc-gen-go: go.mod
	@mkdir -p $(BIN)
	$(GO) build -o $@ google.golang.org/protobuf/cmd/protoc-gen-go

$(BIN)/%: hack/tools/%/go.mod
	@mkdir -p $(BIN)
	@echo "building $* (up to three minutes on a cold cache)"
	cd hack/tools/$* && GOFLAGS= $(GO) build -o $@ tool
