/*
Copyright 2026 The RAUTA Authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

// Command proxy is the data plane of one Gateway.
//
//	proxy --bootstrap FILE                    serve what the operator pushes
//	proxy --bootstrap FILE --resources FILE   begin with the table in a file; alone when the bootstrap has no admin
//
// It exits with 0 after SIGTERM or SIGINT, drained, 1 when it failed, 2 when it was started wrongly.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/rauta-dev/rauta/proxy"
	"github.com/rauta-dev/rauta/proxy/admin"
	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/proxy/telemetry"
)

// version is set by the linker.
var version = "dev"

const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

type flags struct {
	bootstrap string
	resources string
	version   bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main with everything given, and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	parsed, err := parse(args, stderr)
	if err != nil {
		return exitUsage
	}
	if parsed.version {
		fmt.Fprintln(stdout, version)
		return exitOK
	}
	config, err := load(parsed, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "proxy: %v\n", err)
		return exitUsage
	}
	logger := config.Logger // The resources of config are not held for as long as the proxy runs.
	err = proxy.Run(ctx, config)
	if errors.Is(err, proxy.ErrCut) {
		logger.Warn("stopped before all requests had ended", "error", err)
		return exitOK
	}
	if err != nil {
		logger.Error("proxy failed", "error", err)
		return exitFailed
	}
	return exitOK
}

func parse(args []string, stderr io.Writer) (flags, error) {
	var parsed flags
	set := flag.NewFlagSet("proxy", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&parsed.bootstrap, "bootstrap", "", "`file` that says who the proxy is, where it listens, and its limits")
	set.StringVar(&parsed.resources, "resources", "", "`file` with a table to begin with")
	set.BoolVar(&parsed.version, "version", false, "print the version and exit")
	if err := set.Parse(args); err != nil {
		return parsed, err
	}
	if parsed.version {
		return parsed, nil
	}
	if set.NArg() > 0 || parsed.bootstrap == "" {
		fmt.Fprintln(stderr, "usage: proxy --bootstrap FILE [--resources FILE]")
		return parsed, flag.ErrHelp
	}
	return parsed, nil
}

// load makes the configuration from flags and files.
func load(parsed flags, stderr io.Writer) (proxy.Config, error) {
	read, err := bootstrap.Read(parsed.bootstrap)
	if err != nil {
		return proxy.Config{}, err
	}
	if read.Admin == nil && parsed.resources == "" {
		return proxy.Config{}, fmt.Errorf("bootstrap %s: admin: must be given when there is no --resources", parsed.bootstrap)
	}
	var resources admin.Resources
	if parsed.resources != "" {
		if resources, err = admin.ReadResources(parsed.resources); err != nil {
			return proxy.Config{}, err
		}
	}
	logger, err := telemetry.NewLogger(stderr, read.Log.Level)
	if err != nil {
		return proxy.Config{}, fmt.Errorf("bootstrap %s: %w", parsed.bootstrap, err)
	}
	return proxy.Config{Bootstrap: read, Resources: resources, Version: version, Logger: logger}, nil
}
