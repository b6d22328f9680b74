package evm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"

	"barnraise"
	"barnraise/registry"
	"barnraise/registry/contracts/servers"
	"barnraise/registry/contracts/services"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"
)

// Deploy makes a new registry: it creates both contracts with the constants given, which nobody can change afterwards. The
// network that comes out lacks its RPC endpoints and everything else that only its operator knows.
func Deploy(ctx context.Context, client *rpc.Client, a *Account, p Params) (registry.Network, error) {
	n, _, err := deployOver(ctx, client, a, p)
	if err != nil {
		return registry.Network{}, err
	}
	return n, nil
}

// DeployAt is [Deploy] over the endpoint, which the network that comes out names. It returns the transactions that were sent
// as well, in the order of the contracts' deployment: services, then servers; also those before one that failed.
func DeployAt(ctx context.Context, endpoint string, a *Account, p Params) (registry.Network, []Tx, error) {
	client, err := dial(ctx, endpoint)
	if err != nil {
		return registry.Network{}, nil, fmt.Errorf("deploy registry over %s: %w", origin(endpoint), err)
	}
	defer client.Close()
	n, txs, err := deployOver(ctx, client, a, p)
	n.RPC = []string{endpoint}
	return n, txs, err
}

func deployOver(ctx context.Context, client *rpc.Client, a *Account, p Params) (n registry.Network, txs []Tx, err error) {
	if err := p.check(); err != nil {
		return n, nil, fmt.Errorf("deploy registry: %w", err)
	}
	id, err := chainID(ctx, client)
	if err != nil {
		return n, nil, fmt.Errorf("deploy registry: %w", err)
	}
	n.Chain = "eip155:" + strconv.FormatUint(id, 10)
	delay := uint32(p.UnlockDelay / time.Second)
	s := sender{client: client, chainID: id, explain: func(_ *common.Address, err error) error { return err }}
	input := services.NewRegistry().PackConstructor(p.ServiceDeposit, delay, p.Grace)
	first, tx, err := s.create(ctx, a, services.RegistryMetaData.Bin, input)
	if txs = noted(txs, tx); err != nil {
		return n, txs, fmt.Errorf("deploy registry of services: %w", err)
	}
	n.Services, n.StartBlock = barnraise.Address(first), tx.Block
	input = servers.NewRegistry().PackConstructor(p.ServerDeposit, delay, p.RewardsEvery)
	second, tx, err := s.create(ctx, a, servers.RegistryMetaData.Bin, input)
	if txs = noted(txs, tx); err != nil {
		return n, txs, fmt.Errorf("deploy registry of servers: %w", err)
	}
	n.Servers = barnraise.Address(second)
	return n, txs, nil
}

// noted is the list with a transaction more, if there is one.
func noted(txs []Tx, tx Tx) []Tx {
	if tx == (Tx{}) {
		return txs
	}
	return append(txs, tx)
}

// create makes a contract. In a rehearsal it is at no address.
func (s sender) create(ctx context.Context, a *Account, code string, input []byte) (common.Address, Tx, error) {
	tx, receipt, err := s.send(ctx, a, nil, new(big.Int), append(common.FromHex(code), input...))
	if err != nil || tx.Draft != nil {
		return common.Address{}, tx, err
	}
	if receipt.Contract == nil {
		return common.Address{}, tx, errors.New("the receipt has no contract: does the endpoint lie?")
	}
	return *receipt.Contract, tx, nil
}

func (p Params) check() error {
	for _, d := range []*big.Int{p.ServiceDeposit, p.ServerDeposit} {
		if d == nil || d.Sign() < 0 || d.BitLen() > 96 {
			return errors.New("want deposits of zero or more, in wei")
		}
	}
	if p.UnlockDelay < 0 || p.UnlockDelay%time.Second != 0 || p.UnlockDelay/time.Second > math.MaxUint32 {
		return fmt.Errorf("unlock delay is %s, want whole seconds", p.UnlockDelay)
	}
	return nil
}

// Origin is an RPC endpoint without what may be secret in its URL.
func Origin(endpoint string) string { return origin(endpoint) }
