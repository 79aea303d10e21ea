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

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/rauta-dev/rauta/test/cluster"
)

func main() {
	ctrl.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintln(os.Stderr, "chaos:", err)
	os.Exit(1)
}

// settings are what the flags say.
type settings struct {
	seed     uint64
	duration time.Duration
	kind     string
	only     string
	place    string
	install  string
	crds     string
	image    string
	proxy    string
	next     string
	report   string
}

// kinds are what may be chosen of the faults.
var kinds = map[string][]class{
	"all":     {changes, proxies, endpoints, operatorsOwn, controlPlane, identities},
	"changes": {changes},
}

func parse(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.Uint64Var(&s.seed, "seed", 0, "what decides order and targets; 0 for one by the clock")
	flags.DurationVar(&s.duration, "duration", 0, "faults follow each other for so long; 0 for each of them once")
	flags.StringVar(&s.kind, "kind", "all", "all faults, or changes alone")
	flags.StringVar(&s.only, "only", "", "the name of one fault, to try it alone")
	flags.StringVar(&s.place, "cluster", "rauta-cluster", "name of the local cluster (RAUTA_CLUSTER_NAME)")
	flags.StringVar(&s.install, "install", "dist/install.yaml", "manifest of the operator")
	flags.StringVar(&s.crds, "crds", "", "directory of the Gateway API CRDs")
	flags.StringVar(&s.image, "backend-image", "rauta.dev/chaos-backend:dev", "image of the backends")
	flags.StringVar(&s.proxy, "proxy-image", "rauta.dev/rauta-proxy:dev", "image of the proxies that the manifest names")
	flags.StringVar(&s.next, "next-proxy-image", "rauta.dev/rauta-proxy:next", "another one")
	flags.StringVar(&s.report, "report", "dist/chaos/report.json", "file for the report")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if kinds[s.kind] == nil {
		return s, fmt.Errorf("-kind %q: want all or changes", s.kind)
	}
	if s.seed == 0 {
		s.seed = uint64(time.Now().UnixNano()) % 1_000_000 //nolint:gosec // a number that people can type
	}
	return s, nil
}

// chosen are the faults that the settings ask for.
func (s settings) chosen() ([]fault, error) {
	list := slices.DeleteFunc(faults(), func(f fault) bool {
		return !slices.Contains(kinds[s.kind], f.class) || s.only != "" && f.name != s.only
	})
	if len(list) == 0 {
		return nil, fmt.Errorf("-only %q: there is no such fault", s.only)
	}
	return list, nil
}

// newRandom decides what can be repeated.
func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) } //nolint:gosec // see above

func run(ctx context.Context, args []string, out io.Writer) error {
	s, err := parse(args)
	if err != nil {
		return err
	}
	list, err := s.chosen()
	if err != nil {
		return err
	}
	connection, err := cluster.Connect()
	if err != nil {
		return err
	}
	authority, err := newAuthority()
	if err != nil {
		return err
	}
	sealing, err := newAuthority()
	if err != nil {
		return err
	}
	w := &world{
		Connection: connection, out: out, random: newRandom(s.seed),
		place: s.place, ledger: newLedger(), authority: authority, sealing: sealing,
		images: []string{s.proxy, s.next},
	}
	fmt.Fprintf(out, "seed %d\n", s.seed)
	if err := w.install(ctx, s.crds, s.install); err != nil {
		return err
	}
	if err := w.listen(ctx); err != nil {
		return err
	}
	if err := w.build(ctx, s.image); err != nil {
		return err
	}
	r, err := w.play(ctx, list, s.duration)
	if err != nil {
		return err
	}
	r.Seed = s.seed
	r.print(out)
	if err := r.write(s.report); err != nil {
		return err
	}
	if r.Failed > 0 {
		return fmt.Errorf("seed %d: %d of %d faults had another effect than they should", s.seed, r.Failed, len(r.Results))
	}
	return w.clear(ctx)
}
