##@ Images

# Architectures to build for; cluster-load builds for this machine's alone.
ARCHS ?= amd64,arm64
IMAGE_DIR ?= dist/images
IMAGES_TOOL := $(CURDIR)/bin/images
IMAGES_SOURCES := $(wildcard hack/images/*.go hack/images/archive/*.go hack/images/go.*)
IMAGES_ARGS = -archs $(ARCHS) -out $(IMAGE_DIR) -ldflags "-X main.version=$(VERSION)" $(IMG)=./cmd/operator $(PROXY_IMG)=./cmd/proxy

$(IMAGES_TOOL): $(IMAGES_SOURCES)
	@mkdir -p $(@D)
	@cd hack/images && GOFLAGS= GOWORK=off CGO_ENABLED=0 go build -trimpath -buildvcs=false -o $@ .

.PHONY: images
images: $(IMAGES_TOOL) ## Build IMG and PROXY_IMG without Docker into dist/images (ARCHS=amd64,arm64).
	@$(IMAGES_TOOL) $(IMAGES_ARGS)

.PHONY: images-verify
images-verify: $(IMAGES_TOOL) ## Build the images once more and compare every byte with those in dist/images.
	@$(IMAGES_TOOL) -verify $(IMAGES_ARGS)
