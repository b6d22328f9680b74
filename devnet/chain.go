package devnet

import (
	"context"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"barnraise/registry"
	"barnraise/registry/devchain"
	"barnraise/registry/evm"
	"barnraise/whole"
)

// Grace is the number of blocks between publication and activity of a revision on a development chain (protocol 1.4).
const Grace = 5

// deposit is what the registry of a development chain asks: a hundredth of an ether.
var deposit = big.NewInt(1e16)

func (n *Net) startChain(ctx context.Context) (err error) {
	n.chain, err = devchain.Start(devchain.Config{
		Dir: filepath.Join(n.options.Dir, "chain"), Port: n.state.RPC, Fund: n.accounts.addresses(),
	})
	if err != nil {
		return err
	}
	n.stop = append(n.stop, n.chain.Close)
	n.say("chain %d answers at %s", devchain.ChainID, n.chain.URL())
	return nil
}

// deploy makes the registry, unless the directory has one already.
func (n *Net) deploy(ctx context.Context) error {
	network, err := registry.ReadNetwork(n.File)
	switch {
	case err == nil:
		n.Network = network
	case errors.Is(err, os.ErrNotExist):
		client := n.chain.RPC()
		defer client.Close()
		n.Network, err = evm.Deploy(ctx, client, n.accounts.deployer, evm.Params{
			ServiceDeposit: deposit, ServerDeposit: deposit, UnlockDelay: time.Minute, Grace: Grace,
		})
		if err != nil {
			return err
		}
		n.Network.RPC, n.Network.Confirmations = []string{n.chain.URL()}, new(uint64) // what it seals, it keeps
		if err := n.writeNetwork(); err != nil {
			return err
		}
		n.say("registry deployed: services %s, servers %s", registry.Checksum(n.Network.Services), registry.Checksum(n.Network.Servers))
	default:
		return err
	}
	n.registry, err = evm.Dial(ctx, n.Network)
	if err != nil {
		return err
	}
	n.stop = append(n.stop, func() error { n.registry.Close(); return nil })
	return nil
}

func (n *Net) writeNetwork() error {
	if err := whole.Write(n.File, n.Network.Encode(), 0o600); err != nil {
		return err
	}
	network, err := registry.ReadNetwork(n.File)
	n.Network = network
	return err
}
