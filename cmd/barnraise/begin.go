package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/dial"
	"barnraise/registry"
	"barnraise/registry/evm"
	"barnraise/registry/start"
)

// beginning is what a command begins with instead of the chain's events.
type beginning struct {
	from    string // a snapshot file, or URLs of servers with commas between them
	service string // that is meant
}

// viewResult says which snapshot a call began with, and who vouches for it.
type viewResult struct {
	Block    uint64             `json:"block"`
	Hash     registry.BlockHash `json:"hash"`
	Time     time.Time          `json:"time"`
	Vouched  string             `json:"vouched"`  // checkpoint, rpc or servers
	Complete bool               `json:"complete"` // no record is missing; else hosts that no server names are
	Servers  int                `json:"servers,omitempty"`
}

// reader is where a client reads the registry: the chain, or what strangers say of it. The caller calls done.
func (a *app) reader(ctx context.Context, network registry.Network) (r client.Registry, done func(), err error) {
	if a.begins == nil {
		r, err := a.dial(ctx, network, evm.WithLastView())
		if err != nil {
			return nil, nil, err
		}
		return r, r.Close, nil
	}
	var chain *evm.Registry
	done = func() {
		if chain != nil {
			chain.Close()
		}
	}
	v, err := a.begins.view(ctx, start.Terms{Network: network, Now: time.Now, Dial: func(ctx context.Context) (start.Chain, error) {
		var err error
		if chain, err = evm.Dial(ctx, network); err != nil {
			return nil, err
		}
		return vouching{chain}, nil
	}})
	if err != nil {
		done()
		return nil, nil, err
	}
	a.viewed = &viewResult{v.Block, v.Hash, v.Time.UTC(), v.Vouched, v.Complete, v.Servers}
	a.sayView(v, network)
	return v, done, nil
}

// sayView says what of the network the user has not seen for himself.
func (a *app) sayView(v *start.View, network registry.Network) {
	a.say("registry: block %d %s, on the word of: %s; nothing newer was read", v.Block, v.Hash, v.Who)
	if age := time.Since(v.Time); age > start.Old && !network.Private() {
		a.say("registry: that block is %s old", age.Round(time.Minute))
	}
	if !v.Complete {
		a.say("registry: the hosts are those that at least one of %d servers names; no proof shows that there are no others", v.Servers)
	}
}

// vouching asks the network's RPC endpoints for the hash of a block and nothing else.
type vouching struct{ *evm.Registry }

// HashAt is the hash, and on how many endpoints it rests.
func (c vouching) HashAt(ctx context.Context, block uint64) (registry.BlockHash, string, error) {
	hash, trust, err := c.Registry.HashAt(ctx, block)
	return hash, trust.String(), err
}

// Grace is that of the contracts.
func (c vouching) Grace() uint64 { return uint64(c.Params().Grace) }

func (b *beginning) view(ctx context.Context, t start.Terms) (*start.View, error) {
	if strings.HasPrefix(b.from, "http://") || strings.HasPrefix(b.from, "https://") {
		id, err := b.id(t.Network)
		if err != nil {
			return nil, err
		}
		return start.FromServers(ctx, dial.Client(t.Network.Private(), 0), strings.Split(b.from, ","), id, t)
	}
	f, err := os.Open(b.from)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return start.FromFile(ctx, f, t)
}

// id is the service, which servers have to be asked for before anybody could look up what a name means.
func (b *beginning) id(n registry.Network) (barnraise.ServiceID, error) {
	base, _, _ := strings.Cut(b.service, "@")
	if id, ok := n.Names[base]; ok {
		return id, nil
	}
	id, err := strconv.ParseUint(strings.TrimPrefix(base, "#"), 10, 32)
	if err != nil || id == 0 {
		return 0, fmt.Errorf("%w: to begin with what servers say, write the id of the service, such as '#3', or say in the network file what %q is",
			errUsage, base)
	}
	return barnraise.ServiceID(id), nil
}
