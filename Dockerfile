# Both images, for those who have Docker; `make images` builds the same without it.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS TARGETARCH VERSION=dev
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY api api
COPY cmd cmd
COPY config config
COPY internal internal
COPY proxy proxy
ENV CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH
RUN go build -trimpath -ldflags "-s -w -buildid= -X main.version=$VERSION" -o /out/ ./cmd/operator ./cmd/proxy

FROM scratch AS operator
COPY --from=build /out/operator /operator
USER 65532:65532
ENTRYPOINT ["/operator"]

FROM scratch AS proxy
COPY --from=build /out/proxy /proxy
USER 65532:65532
ENTRYPOINT ["/proxy"]
