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

package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/rauta-dev/rauta/proxy/admin"
)

// startPeers gives the table to the other replicas, and asks them for theirs when this one has none, or an old one.
func (p *Proxy) startPeers(ctx context.Context, identity *admin.Identity) error {
	settings := p.config.Bootstrap.Peers
	if settings == nil {
		return nil
	}
	_, text, err := net.SplitHostPort(settings.Address)
	if err != nil {
		return fmt.Errorf("peers.address: %w", err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return fmt.Errorf("peers.address: %w", err)
	}
	p.peers, err = admin.ServePeers(admin.PeerOptions{
		Address:  settings.Address,
		Identity: identity,
		Table:    p.table,
		Find: func(ctx context.Context) ([]netip.AddrPort, error) {
			return p.config.FindPeers(ctx, settings.Name, uint16(port))
		},
		Delay:  p.config.PeerDelay,
		Pause:  p.config.PeerPause,
		Logger: p.config.Logger,
	})
	if err != nil {
		return err
	}
	p.following.Go(func() { p.peers.Seek(ctx) })
	return nil
}

// lookUpPeers asks DNS for the addresses of all replicas. A name that is not there stands for none.
func lookUpPeers(ctx context.Context, name string, port uint16) ([]netip.AddrPort, error) {
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if missing := (*net.DNSError)(nil); errors.As(err, &missing) && missing.IsNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	peers := make([]netip.AddrPort, len(addresses))
	for i, address := range addresses {
		peers[i] = netip.AddrPortFrom(address.Unmap(), port)
	}
	return peers, nil
}
