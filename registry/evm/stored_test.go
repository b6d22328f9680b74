package evm

import (
	"context"

	"github.com/ethereum/go-ethereum/common"
)

// stored is what a contract keeps at a block.
func (x *index) stored(ctx context.Context, at block, a common.Address) ([32]byte, uint32, error) {
	s, err := x.registry.contracts.stored(ctx, x.registry.client, a, uint64(at.Number), false)
	return s.log, s.count, err
}
