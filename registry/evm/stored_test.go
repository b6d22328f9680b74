package evm

import (
	"context"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// stored is what a contract keeps at a block.
func (x *index) stored(ctx context.Context, at block, a common.Address) ([32]byte, uint32, error) {
	s, err := x.registry.contracts.stored(ctx, x.registry.client, a, uint64(at.Number), false)
	return s.log, s.count, err
}

// read calls a function of a contract that changes nothing, at a block.
func read[T any](
	ctx context.Context, r *Registry, a common.Address, at string, call []byte, unpack func([]byte) (T, error),
) (T, error) {
	return readFrom(ctx, r.current(), a, at, call, unpack)
}

// wait waits for the receipt of a transaction that nobody else can take the place of.
func (s sender) wait(ctx context.Context, hash common.Hash) (receipt, error) {
	return s.await(ctx, hash, func(time.Duration) error { return nil })
}
