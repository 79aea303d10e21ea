// Module images builds container images from static binaries, without Docker and
// without a base image. It needs nothing but the standard library.
module github.com/rauta-dev/rauta/hack/images

go 1.26.0
