// Module cluster runs a single-node Kubernetes on Linux without Docker, built from Go modules.
module github.com/rauta-dev/rauta/hack/cluster

go 1.26.0

require (
	github.com/rauta-dev/rauta/hack/images v0.0.0
	golang.org/x/sys v0.47.0
)

replace github.com/rauta-dev/rauta/hack/images => ../images
