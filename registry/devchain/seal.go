package devchain

import (
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"
)

// maxWait is how many blocks ahead a revision may be published for the chain to hurry towards it; also how far back it looks
// for one when it starts.
const maxWait = 100_000

// maxBurst is how many blocks are sealed in a row before others get a turn.
const maxBurst = 64

// sealLoop seals whenever the pool has something to seal, and one block in an interval while a revision waits. A second
// ticker makes up for events that were missed.
func (c *Chain) sealLoop(interval time.Duration) {
	wake := c.arrivals()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	empty := time.NewTicker(interval)
	defer empty.Stop()
	for {
		select {
		case <-c.quit:
			return
		case <-wake:
			c.sealPending()
		case <-again.C:
			c.sealPending()
		case <-empty.C:
			c.sealWaiting()
		}
	}
}

// arrivals reports, without counting them, that transactions came in. It takes the pool's events on a goroutine of its own,
// because sealing waits for the pool, and the pool waits for whoever takes its events.
func (c *Chain) arrivals() <-chan struct{} {
	txs, wake := make(chan core.NewTxsEvent, 64), make(chan struct{}, 1)
	sub := c.eth.TxPool().SubscribeTransactions(txs, true)
	c.loops.Go(func() {
		defer sub.Unsubscribe()
		for {
			select {
			case <-c.quit:
				return
			case <-txs:
			}
			select {
			case wake <- struct{}{}:
			default:
			}
		}
	})
	return wake
}

// sealPending seals until the pool has nothing that the next block could hold.
func (c *Chain) sealPending() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drain()
}

func (c *Chain) drain() {
	for range maxBurst {
		if err := c.eth.TxPool().Sync(); err != nil {
			return // it is closing
		}
		if !c.ready() {
			return
		}
		if sealed := c.seal(); sealed == nil || sealed.GasUsed == 0 {
			return
		}
	}
}

// ready reports whether the next block would hold a transaction, as the node picks them. One that offers less than the base
// fee waits for blocks that something else makes; so does one with blobs.
func (c *Chain) ready() bool {
	chain := c.eth.BlockChain()
	base := eip1559.CalcBaseFee(chain.Config(), chain.CurrentBlock())
	_, n := c.eth.TxPool().Pending(txpool.PendingFilter{
		MinTip: uint256.NewInt(leastTip), BaseFee: uint256.MustFromBig(base), GasLimitCap: params.MaxTxGas,
	})
	return n > 0
}

// sealWaiting seals one block, empty or not, if a revision waits for it.
func (c *Chain) sealWaiting() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.eth.BlockChain().CurrentBlock().Number.Uint64() < c.waiting {
		c.seal()
	}
}

// seal makes one block. It returns nil where none came of it.
func (c *Chain) seal() *types.Header {
	before := c.eth.BlockChain().CurrentBlock().Number.Uint64()
	c.beacon.Commit()
	head := c.eth.BlockChain().CurrentBlock()
	if head.Number.Uint64() == before {
		return nil
	}
	c.note(head)
	return head
}

// note looks for published revisions in a block, and remembers the highest block that one waits for.
func (c *Chain) note(header *types.Header) {
	if !types.BloomLookup(header.Bloom, c.publication) {
		return
	}
	for _, receipt := range c.eth.BlockChain().GetReceiptsByHash(header.Hash()) {
		for _, log := range receipt.Logs {
			event, err := c.contract.UnpackRevisionPublishedEvent(log)
			if err == nil && event.ActiveFrom <= header.Number.Uint64()+maxWait {
				c.waiting = max(c.waiting, event.ActiveFrom)
			}
		}
	}
}

// rescan looks for revisions that wait, in all blocks that could hold one.
func (c *Chain) rescan() {
	c.waiting = 0
	chain := c.eth.BlockChain()
	header := chain.CurrentBlock()
	for range maxWait {
		if header == nil || header.Number.Sign() == 0 {
			return
		}
		c.note(header)
		header = chain.GetHeaderByHash(header.ParentHash)
	}
}

// Fork goes back to a block and forgets those after it, with their transactions, so that other ones can take their place.
func (c *Chain) Fork(block uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	hash := c.eth.BlockChain().GetCanonicalHash(block)
	pool := c.eth.TxPool()
	pool.Clear()
	if err := c.beacon.Fork(hash); err != nil {
		return fmt.Errorf("fork at block %d: %w", block, err)
	}
	if err := pool.Sync(); err != nil { // the pool takes back what was sealed
		return fmt.Errorf("fork at block %d: %w", block, err)
	}
	pool.Clear()
	c.rescan()
	return nil
}

// AdvanceTime seals a block that is later than the one before by d, in whole seconds.
func (c *Chain) AdvanceTime(d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	for range maxBurst { // a transaction may come in between
		c.drain()
		before := c.eth.BlockChain().CurrentBlock()
		if err = c.beacon.AdjustTime(d); err == nil && c.eth.BlockChain().CurrentBlock().Hash() != before.Hash() {
			return nil
		}
	}
	return fmt.Errorf("advance time: %w", errors.Join(err, errors.New("the pool does not become empty")))
}
